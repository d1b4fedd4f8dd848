// A person is called to an approval: by a browser, by a command. Real processes, no shell.
#include "core/crypto/digest.hpp"
#include "proxy/approval/child_process.hpp"
#include "proxy/approval/notifier.hpp"
#include "proxy/demo/stage.hpp"
#include "proxy/log/log.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"
#include <boost/asio/co_spawn.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

using namespace reauth;
using reauth::test::has;
using namespace std::chrono_literals;

namespace {

/// A directory with programs in it, first on PATH as long as this lives.
struct fake_programs {
    fake_programs() {
        const auto path = home.path() + ":" + before;
        ::setenv("PATH", path.c_str(), 1);
    }
    ~fake_programs() { ::setenv("PATH", before.c_str(), 1); }
    /// A script that writes what it was given, argument by argument, and what it reads.
    void add(const std::string& name, const std::string& then = "") {
        const auto file = home.path() + "/" + name;
        std::ofstream(file) << "#!/bin/sh\n{ for a in \"$@\"; do printf '<%s>' \"$a\"; done; echo; } >> "
                            << home.path() << "/" << name << ".calls\ncat > " << home.path() << "/" << name
                            << ".input\nenv > " << home.path() << "/" << name << ".env\n"
                            << then << "\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    }
    std::string read(const std::string& name) const {
        std::ifstream in(home.path() + "/" + name);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    demo_directory home;
    std::string before = ::getenv("PATH");
};

/// A notifier on a context that is run until nothing is under way.
struct calling {
    explicit calling(const desktop_facts& where)
        : caller(io.get_executor(), book,
                 {{"PATH", ::getenv("PATH")},
                  {"DISPLAY", ":0"},
                  {"MCP_REAUTH_DSN", "hidden-1"},
                  {"CLIENT_SECRET", "hidden-2"}},
                 where) {
        settings.secret_variables = {"CLIENT_SECRET"};
    }
    approval waiting(const std::string& id) {
        approval a;
        a.id = id;
        a.link_secret = secret("the-link-of-" + id);
        a.upstream = "files";
        a.tool = "$(touch /tmp/never); `x`";
        a.created_at = now;
        a.expires_at = now + 15min;
        book.show(a);
        return a;
    }
    void call_for(const std::string& id) {
        caller.call_for(waiting(id), settings, now);
        io.run();
        io.restart();
    }
    asio::io_context io;
    approvals book{"http://127.0.0.1:8971"};
    config settings;
    notifier caller;
    time_point now{1'800'000'000s};
};

/// The standard streams, to one of which the log of the tests goes, in a file for as long as this lives.
struct captured_log {
    explicit captured_log(std::string to) : path(std::move(to)) {
        std::fflush(stdout);
        const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::close(file);
    }
    ~captured_log() {
        std::fflush(stdout);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(err, STDERR_FILENO);
        ::close(out);
        ::close(err);
    }
    std::string text() const {
        std::fflush(stdout);
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::string path;
    int out = ::dup(STDOUT_FILENO), err = ::dup(STDERR_FILENO);
};

const desktop_facts a_desktop{true, false, false, false};

result<void> ran(child_command command) {
    asio::io_context io;
    std::optional<result<void>> end;
    asio::co_spawn(io, run_child(io.get_executor(), std::move(command)),
                   [&](std::exception_ptr, result<void> r) { end = std::move(r); });
    io.run();
    return *end;
}

} // namespace

TEST_CASE("auto opens exactly one browser per approval, with the link as its only argument", "[notifier]") {
    fake_programs programs;
    programs.add("xdg-open");
    calling here(a_desktop);
    here.call_for("one");
    here.call_for("one");
    CHECK(programs.read("xdg-open.calls") == "<http://127.0.0.1:8971/a/the-link-of-one>\n");
    here.call_for("two"); // within the minute
    CHECK(programs.read("xdg-open.calls") == "<http://127.0.0.1:8971/a/the-link-of-one>\n");
    here.now += 1min;
    here.call_for("three");
    CHECK(has(programs.read("xdg-open.calls"), "three>\n"));
    CHECK(programs.read("xdg-open.input").empty());
    CHECK_FALSE(has(programs.read("xdg-open.env"), "hidden"));
    CHECK(has(programs.read("xdg-open.env"), "DISPLAY=:0"));
    CHECK(here.book.attended("three", here.now));
}

TEST_CASE("no browser is opened under never, over SSH, in a container or as a service", "[notifier]") {
    fake_programs programs;
    programs.add("xdg-open");
    for (const desktop_facts where :
         {desktop_facts{true, true, false, false}, desktop_facts{true, false, true, false},
          desktop_facts{true, false, false, true}, desktop_facts{}}) {
        calling here(where);
        here.call_for("one");
    }
    calling never(a_desktop);
    never.settings.approval.open_browser = browser_opening::never;
    never.call_for("one");
    CHECK(programs.read("xdg-open.calls").empty());
}

TEST_CASE("the notification gets the approval as JSON on its standard input, and its own words untouched",
          "[notifier]") {
    fake_programs programs;
    programs.add("tell-me");
    calling here({});
    here.settings.approval.notify_command = {"tell-me", "a b", "$HOME; `id`"};
    here.call_for("one");
    CHECK(programs.read("tell-me.calls") == "<a b><$HOME; `id`>\n");
    const auto told = nlohmann::json::parse(programs.read("tell-me.input"));
    CHECK(told["id"] == "one");
    CHECK(told["link"] == "http://127.0.0.1:8971/a/the-link-of-one");
    CHECK(told["tool"] == "$(touch /tmp/never); `x`");
    CHECK_FALSE(has(programs.read("tell-me.env"), "hidden"));
}

TEST_CASE("a command that says its input again and fails does not bring the link into the log",
          "[notifier]") {
    fake_programs programs;
    programs.add("echoes", "cat \"$0.input\" >&2; exit 1");
    start_log({}); // whatever an earlier test has set
    const captured_log log(programs.home.path() + "/log");
    calling here({});
    here.settings.approval.notify_command = {"echoes"};
    here.call_for("one");
    const auto all = log.text();
    CHECK(has(programs.read("echoes.input"), "the-link-of-one"));
    CHECK(has(all, "notification failed"));
    CHECK_FALSE(has(all, "the-link-of-one"));
    CHECK_FALSE(has(all, "link-of"));
}

TEST_CASE("a command that fails, hangs or is not there is told of, and disturbs nobody", "[notifier]") {
    fake_programs programs;
    programs.add("fails", "echo it is broken >&2; exit 3");
    programs.add("hangs", "sleep 600 & sleep 600");
    const std::vector<std::string> environment{"PATH=" + std::string(::getenv("PATH"))};
    const auto failed = ran({{"fails"}, environment, "x", 10s});
    REQUIRE(failed.has_error());
    CHECK(has(failed.error().message, "`fails` ended with status 3: it is broken"));
    const auto hung = ran({{"hangs"}, environment, "x", 300ms});
    REQUIRE(hung.has_error());
    CHECK(has(hung.error().message, "was ended"));
    const auto missing = ran({{"no-such-program-here"}, environment, "", 10s});
    REQUIRE(missing.has_error());
    CHECK(has(missing.error().message, "can't be run"));
    const auto deaf = ran({{"true"}, environment, std::string(1 << 20, 'x'), 10s}); // reads nothing of it
    CHECK(deaf.has_value());
}
