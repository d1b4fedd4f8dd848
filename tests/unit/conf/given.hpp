// What the configuration's tests share: inputs without this machine's environment, and a directory that goes.
#pragma once

#include "conf/load.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace given {

using reauth::test::has;

inline reauth::config_inputs inputs(std::map<std::string, std::string> environment = {}) {
    environment.emplace("HOME", "/home/ada");
    return {{}, std::move(environment)};
}

inline reauth::result<reauth::config> text(std::string_view yaml,
                                           std::map<std::string, std::string> environment = {}) {
    return reauth::load_config_text(yaml, "test.yaml", inputs(std::move(environment)));
}

/// The configuration of a text that must be right.
inline reauth::config good(std::string_view yaml, std::map<std::string, std::string> environment = {}) {
    auto loaded = text(yaml, std::move(environment));
    INFO((loaded ? "" : loaded.error().message));
    REQUIRE(loaded.has_value());
    return *loaded;
}

/// The errors of a text that must be wrong.
inline std::string bad(std::string_view yaml, std::map<std::string, std::string> environment = {}) {
    auto loaded = text(yaml, std::move(environment));
    REQUIRE(loaded.has_error());
    CHECK(loaded.error().code == reauth::fault::invalid_configuration);
    return loaded.error().message;
}

struct directory {
    directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "reauth-conf-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::string write(const std::string& name, std::string_view content) const {
        auto file = path + "/" + name;
        std::ofstream(file) << content;
        return file;
    }
    std::string path;
};

constexpr auto one_upstream = "upstreams: {a: {url: https://a.example/mcp}}\n";

/// A file for as long as it lives.
struct temporary_file {
    explicit temporary_file(const std::string& content) {
        char name[] = "/tmp/mcp-reauth-test-XXXXXX";
        ::close(::mkstemp(name));
        path = name;
        std::ofstream(path) << content;
    }
    ~temporary_file() { std::filesystem::remove(path); }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    std::string path;
};

} // namespace given
