// When a browser is opened without being asked.
#include "policy/life/attention.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

namespace {

const time_point first_tick{1'800'000'000s};
const desktop_facts desktop = read_desktop({{"DISPLAY", ":0"}, {"XDG_RUNTIME_DIR", "/run/user/1000"}}, false);

approval question(std::string id) {
    approval a;
    a.id = std::move(id);
    return a;
}

bool opens(const desktop_facts& where, const approval& a = question("a"),
           browser_opening how = browser_opening::automatic) {
    return browser_calls().open_for(how, where, a, first_tick);
}

} // namespace

TEST_CASE("a browser is opened in a desktop session, once per approval and at most once a minute") {
    browser_calls calls;
    const auto how = browser_opening::automatic;
    CHECK(calls.open_for(how, desktop, question("a"), first_tick));
    CHECK_FALSE(calls.open_for(how, desktop, question("a"), first_tick + 5min));
    CHECK(calls.open_for(how, desktop, question("b"), first_tick + 60s));
    CHECK_FALSE(calls.open_for(how, desktop, question("c"), first_tick + 119s));
    CHECK(calls.open_for(how, desktop, question("c"), first_tick + 120s));
}

TEST_CASE("no browser is opened over SSH, in a container, as a system service or without a display") {
    CHECK(opens(desktop));
    CHECK(opens(read_desktop({{"WAYLAND_DISPLAY", "wayland-0"}}, false)));
    CHECK_FALSE(opens(read_desktop({}, false)));
    for (const auto* name :
         {"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "container", "INVOCATION_ID", "KUBERNETES_SERVICE_HOST"})
        CHECK_FALSE(opens(read_desktop({{"DISPLAY", ":0"}, {name, "x"}}, false)));
    CHECK_FALSE(opens(read_desktop({{"DISPLAY", ":0"}}, true)));
    // a unit of the user's own session
    CHECK(opens(read_desktop({{"DISPLAY", ":0"}, {"INVOCATION_ID", "x"}, {"XDG_RUNTIME_DIR", "/r"}}, false)));
}

TEST_CASE("never opens nothing, always opens whatever the session looks like") {
    CHECK_FALSE(opens(desktop, question("a"), browser_opening::never));
    CHECK(opens(read_desktop({{"SSH_TTY", "x"}}, true), question("a"), browser_opening::always));
    browser_calls calls;
    CHECK(calls.open_for(browser_opening::always, {}, question("a"), first_tick));
    CHECK_FALSE(calls.open_for(browser_opening::always, {}, question("a"), first_tick));
    CHECK(calls.open_for(browser_opening::always, {}, question("b"), first_tick));
}

TEST_CASE("what a person asked for, what is decided and what is another principal's opens nothing") {
    auto a = question("a");
    a.wished = true;
    CHECK_FALSE(opens(desktop, a));
    CHECK_FALSE(opens(desktop, a, browser_opening::always));
    a = question("a");
    a.status = approval_status::approved;
    CHECK_FALSE(opens(desktop, a));
    a = question("a");
    a.principal = "ada";
    CHECK_FALSE(opens(desktop, a));
    CHECK(opens(desktop, a, browser_opening::always));
}
