// A directory of its own for each vault test, and what the tests look at.
#pragma once

#include "proxy/vault/open.hpp"

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace reauth::test {

/// Removed with all that is in it.
class scratch_directory {
public:
    scratch_directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mcp-reauth-vault-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~scratch_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch_directory(const scratch_directory&) = delete;
    std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline std::string read_whole(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_whole(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline vault_config sqlite_settings(const scratch_directory& where) {
    vault_config settings;
    settings.path = where.file("vault.db");
    return settings;
}

inline vault_config memory_settings() {
    vault_config settings;
    settings.backend = vault_backend::memory;
    return settings;
}

/// For steps that a test takes for granted.
inline void must(const result<void>& done) {
    INFO((done ? std::string() : done.error().describe()));
    REQUIRE(done.has_value());
}

inline std::unique_ptr<vault> opened(const vault_config& settings) {
    auto v = open_vault(settings);
    INFO((v ? std::string() : v.error().describe()));
    REQUIRE(v.has_value());
    return std::move(*v);
}

/// Why it did not open.
inline failure refusal(const vault_config& settings) {
    auto v = open_vault(settings);
    REQUIRE(v.has_error());
    return v.error();
}

inline std::string got(vault& v, record_kind kind, const std::string& key) {
    auto value = v.get(kind, key);
    REQUIRE(value.has_value());
    return value->has_value() ? std::string((*value)->reveal()) : "(none)";
}

} // namespace reauth::test
