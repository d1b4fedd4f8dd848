// Files that somebody else may have put there: read without waiting, and only where they are files.
#include "conf/regular_file.hpp"
#include "tests/unit/conf/given.hpp"

#include <sys/stat.h>
#include <unistd.h>

using namespace reauth;
using namespace given;

namespace {

std::string fifo(const directory& in, const std::string& name) {
    const auto path = in.path + "/" + name;
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    return path;
}

unsigned mode(const std::string& path) {
    struct stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 07777;
}

/// The umask, for as long as this lives.
struct umask_of {
    explicit umask_of(mode_t now) : before(::umask(now)) {}
    ~umask_of() { ::umask(before); }
    mode_t before;
};

} // namespace

TEST_CASE("a FIFO, a device, a directory and a large file are no secrets, and nobody waits for them") {
    const directory dir;
    const auto told = [](const std::string& path, const file_demands& demands = {}) {
        return read_regular_file(path, demands).trouble;
    };
    CHECK(has(told(fifo(dir, "pipe")), "is no regular file"));
    CHECK(has(told("/dev/zero"), "is no regular file"));
    CHECK(told(dir.path) == "is a directory");
    CHECK(has(told(dir.path + "/none"), "No such file"));
    CHECK(read_regular_file(dir.path + "/none").missing);
    const auto large = dir.write("large", std::string(5000, 'x'));
    CHECK(told(large, {4096}) == "is larger than 4 KiB");
    CHECK(told(large).empty());
    const auto own = dir.write("own", "token");
    ::chmod(own.c_str(), 0600);
    CHECK(told(own, {4096, true}).empty());
    ::chmod(own.c_str(), 0640);
    CHECK(read_regular_file(own, {4096, true}).exposed);
    REQUIRE(::symlink(large.c_str(), (dir.path + "/link").c_str()) == 0);
    CHECK(told(dir.path + "/link").empty()); // secrets of a cluster are links
    CHECK_FALSE(told(dir.path + "/link", {8192, true}).empty());
}

TEST_CASE("a configuration whose file or secrets are FIFOs is refused with their names") {
    const directory dir;
    const auto pipe = fifo(dir, "pipe");
    CHECK(has(load_config(pipe, inputs()).error().message, "is no regular file"));
    const auto told =
        bad("upstreams:\n  a:\n    url: https://a.example/mcp\n    headers: {X-Key: {file: " + pipe + "}}\n");
    CHECK(has(told, pipe + " is no regular file"));
}

TEST_CASE("directories for secrets are closed to others whatever the umask, and an open one is told of") {
    const directory dir;
    for (const mode_t mask : {mode_t(0), mode_t(0277), mode_t(0777)}) {
        const umask_of now(mask);
        const auto made = dir.path + "/m" + std::to_string(mask) + "/state/running";
        CHECK(make_private_directory(made).empty());
        CHECK(mode(made) == 0700);
        CHECK(mode(made + "/..") == 0700);
    }
    const auto state = dir.path + "/state";
    CHECK(make_private_directory(state).empty());
    CHECK(exposed_directory(state).empty());
    CHECK(exposed_directory(dir.path + "/none").empty());
    ::chmod(state.c_str(), 0777);
    CHECK(has(exposed_directory(state), "chmod go-w"));
    ::chmod(state.c_str(), 0720);
    CHECK_FALSE(exposed_directory(state).empty());
    auto c =
        text("upstreams: {a: {url: 'https://a.example/mcp'}}\n", {{"MCP_REAUTH_STATE_DIRECTORY", state}});
    REQUIRE(c.has_value());
    bool warned = false;
    for (const auto& w : c->warnings)
        warned = warned || has(w, "others may write to " + state);
    CHECK(warned);
    ::chmod(state.c_str(), 0755);
    CHECK(exposed_directory(state).empty());
    ::chmod(dir.path.c_str(), 0777);
    CHECK(has(exposed_directory(state), "above"));
    CHECK(has(make_private_directory(dir.write("file", "x") + "/below"), "no directory"));
}

TEST_CASE("a source of a secret in a flag or a variable is one, and no literal") {
    const directory dir;
    const auto file = dir.write("token", "from-the-file-0123456789\n");
    const auto token_of = [](const config_inputs& in) {
        auto c = load_config_text("upstreams: {a: {url: 'https://a.example/mcp'}}\n", "test.yaml", in);
        INFO((c ? "" : c.error().message));
        REQUIRE(c.has_value());
        return c->approval.token;
    };
    auto flagged = inputs();
    flagged.flags["approval.token"] = "{file: " + file + "}";
    CHECK(token_of(flagged).value.equals("from-the-file-0123456789"));
    CHECK(token_of(inputs({{"MCP_REAUTH_APPROVAL_TOKEN", "{file: " + file + "}"}}))
              .value.equals("from-the-file-0123456789"));
    CHECK(token_of(inputs({{"MCP_REAUTH_APPROVAL_TOKEN", "{env: T}"}, {"T", "of-the-variable-0123456789"}}))
              .value.equals("of-the-variable-0123456789"));
    CHECK(token_of(inputs({{"MCP_REAUTH_APPROVAL_TOKEN", "plain-0123456789-abcdef"}}))
              .value.equals("plain-0123456789-abcdef"));
    flagged.flags["approval.token"] = "{fiel: " + file + "}";
    const auto wrong =
        load_config_text("upstreams: {a: {url: 'https://a.example/mcp'}}\n", "test.yaml", flagged);
    REQUIRE(wrong.has_error());
    CHECK(has(wrong.error().message, "--set approval.token"));
    CHECK(has(wrong.error().message, "did you mean 'file'"));
}

TEST_CASE("a configured token that would forge a header field is refused, without showing it") {
    for (const auto* value :
         {"'ok-0123456789\r\n\r\nX-Evil: 1'", "\"a\\r\\nX-Evil: 1\"", "'with space'", "\"caf\\u00e9\""}) {
        const auto told =
            bad(std::string("upstreams:\n  a: {url: 'https://a.example/mcp', grant: static, token: ") +
                value + "}\n");
        CHECK(has(told, "holds characters that no token has"));
        CHECK_FALSE(has(told, "Evil"));
    }
}
