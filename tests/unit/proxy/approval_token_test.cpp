// The operator token: configured, found, or made once.
#include "proxy/approval/operator_token.hpp"

#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace reauth;
namespace fs = std::filesystem;

namespace {

struct temporary_directory {
    std::string path;
    temporary_directory() {
        auto pattern = (fs::temp_directory_path() / "reauth-token-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~temporary_directory() { fs::remove_all(path); }
};

result<secret> load(const std::string& directory, bool create = true, char seed = 'a') {
    return load_operator_token({}, directory, [seed](std::size_t n) { return std::string(n, seed); }, create);
}

void write(const std::string& path, const std::string& text, mode_t mode) {
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
}

} // namespace

TEST_CASE("the operator token is made once, 0600, and found again") {
    const temporary_directory d;
    const auto state = d.path + "/deep/state";
    const auto first = load(state);
    REQUIRE(first.has_value());
    CHECK(first->size() == 43);
    const auto again = load(state, true, 'b');
    REQUIRE(again.has_value());
    CHECK(*first == *again);
    CHECK(*load(state, false) == *first);
    struct stat about{};
    REQUIRE(::stat(operator_token_path(state).c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    REQUIRE(::stat(state.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0700);
    CHECK(std::distance(fs::directory_iterator(state), fs::directory_iterator{}) == 1);
}

TEST_CASE("without leave to create, a missing operator token is an error that says what to do") {
    const temporary_directory d;
    const auto got = load(d.path, false);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().fix.find("serve") != std::string::npos);
    CHECK(fs::is_empty(d.path));
}

TEST_CASE("a token file that others may read, a link, and a short token are refused") {
    const temporary_directory d;
    const auto path = operator_token_path(d.path);
    const std::string good(43, 'x');
    write(path, good + "\n", 0640);
    REQUIRE_FALSE(load(d.path).has_value());
    CHECK(load(d.path).error().fix.find("chmod 600") != std::string::npos);
    ::chmod(path.c_str(), 0600);
    CHECK(load(d.path)->equals(good));
    write(path, "short\n", 0600);
    CHECK_FALSE(load(d.path).has_value());
    fs::remove(path);
    write(d.path + "/elsewhere", good, 0600);
    fs::create_symlink(d.path + "/elsewhere", path);
    CHECK_FALSE(load(d.path).has_value());
}

TEST_CASE("a configured operator token wins, unless it is too short") {
    approval_config c;
    c.token.from = secret_source::kind::env;
    c.token.value = secret("0123456789abcdef");
    const auto random = [](std::size_t n) { return std::string(n, 'a'); };
    CHECK(load_operator_token(c, "/nonexistent", random, true)->equals("0123456789abcdef"));
    c.token.value = secret("short");
    CHECK_FALSE(load_operator_token(c, "/nonexistent", random, true).has_value());
}
