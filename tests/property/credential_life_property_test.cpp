// A credential's life under random events: whatever ends next, and however it ends, the rules of the machine
// hold.
#include "tests/property/dice.hpp"

#include "tests/support/catch.hpp"
#include <rapidcheck.h>

#include <cstdlib>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t events_in_a_run = 220;

/// 10,000 runs of the same seed by default, so that a red run is a change's doing; RC_PARAMS may say
/// otherwise (RC_PARAMS="max_success=100000" searches with a fresh seed).
const int configured = ::setenv("RC_PARAMS", "max_success=10000 max_size=100 seed=1", 0);

rule confirming() {
    rule r;
    r.match.reason = {"insufficient_scope"};
    r.action = rule_action::confirm;
    return r;
}

credential_binding some_target(unsigned choice) {
    switch (choice % 3) {
    case 1: {
        auto t = world_target(grant_kind::client_credentials);
        t.rules = world_rules({confirming()});
        return t;
    }
    case 2:
        return world_target(grant_kind::client_credentials);
    default:
        return world_target();
    }
}

/// One event; `die` says which and how.
void play(life_world& w, std::uint32_t die) {
    const auto kind = die % 36;
    const auto detail = die / 36;
    if (kind < 14) { // most often some work ends, mostly well
        if (w.works.empty())
            return;
        const auto i = detail % w.works.size();
        if (!w.can_finish(i))
            return;
        const auto fate = (detail / 64) % 8;
        w.finish(i, fate == 0 ? ending::trouble : fate == 1 ? ending::refusal : ending::well);
        return;
    }
    const auto open = nth_open(w, detail);
    switch (kind) {
    case 14:
    case 15:
    case 16:
        w.refuse(challenge_kind::invalid_token, detail % 3 ? "" : scope_of(detail / 3));
        return;
    case 17:
        w.refuse(challenge_kind::insufficient_scope, scope_of(detail));
        return;
    case 18:
        w.refuse(challenge_kind::unauthorized, "", detail % 2 ? person_use::only_waits : person_use::never);
        return;
    case 19:
        if (!w.waiting.empty()) {
            auto it = w.waiting.begin();
            std::advance(it, detail % w.waiting.size());
            w.withdraw(*it);
        }
        return;
    case 20:
    case 21:
    case 22:
        if (!open.empty())
            w.approve(open, detail % 3 ? approver::operator_token : approver::link_holder, detail % 2);
        return;
    case 23:
    case 24:
        if (!open.empty())
            w.come_back(open);
        return;
    case 25:
        if (!open.empty())
            w.deny(open);
        return;
    case 26:
        if (detail % 4 == 0)
            w.sign_out();
        else
            w.rival_renews();
        return;
    case 27:
        w.pass(std::chrono::seconds(detail % 8 == 0 ? 1000 : detail % 70));
        return;
    case 28:
        if (w.machine.held())
            w.tell(life::renewal_due{w.machine.held()->generation});
        return;
    case 29:
        w.vault.writable = detail % 3 != 0;
        w.vault.readable = detail % 5 != 0;
        return;
    case 30:
        if (detail % 8 == 0) {
            w.rival_signs_out();
        } else if (detail % 8 == 1) {
            auto other = w.machine.whose();
            other.url = other.url == "https://mcp.example/mcp" ? "https://other.example/mcp"
                                                               : "https://mcp.example/mcp";
            w.moved = true;
            w.tell(life::reconfigured{other});
        } else {
            w.tell(life::vault_changed{w.vault.state()});
        }
        return;
    case 31:
        if (!open.empty())
            w.rival_ends(open, detail % 3 ? approval_status::denied : approval_status::superseded);
        return;
    case 32:
        if (!open.empty())
            w.rival_approves(open, detail % 2);
        return;
    case 33:
        if (!open.empty())
            w.rival_begins(open);
        return;
    case 34:
        if (w.open.size() < approval_set::at_once &&
            w.machine.whose().grant == grant_kind::authorization_code)
            w.rival_asks(scope_set::parse(scope_of(detail)));
        return;
    default: {
        life::login_asked e;
        e.caller = ++w.callers;
        w.tell(e);
        return;
    }
    }
}

/// What only a credential that is minted from a session meets, and what ends a life from outside.
void play_beside(life_world& w, std::uint32_t die) {
    const auto detail = die / 8;
    switch (die % 8) {
    case 0:
    case 1: {
        life::session_changed now;
        now.held = die % 8 == 0;
        now.renewable = detail % 2;
        w.tell(now);
        return;
    }
    case 2:
        w.tell(life::session_asked{std::string("approval-at-the-provider")});
        return;
    case 3:
        w.tell(life::session_refused{failure::permanent(fault::approval_denied, "no"), detail % 2 == 0});
        return;
    case 4:
        if (w.machine.held() && detail % 4 == 0)
            w.tell(life::found_dead{w.machine.held()->generation});
        return;
    default:
        play(w, detail);
        return;
    }
}

/// The world heals, persons say no to what is left, and nothing waits any more.
void wind_up(life_world& w) {
    w.vault.writable = w.vault.readable = true;
    for (int round = 0; round < 12; ++round) {
        w.settle();
        w.tell(life::session_refused{failure::permanent(fault::approval_denied, "no")});
        while (!w.open.empty()) {
            w.deny(std::string(w.open.begin()->first));
            w.settle();
        }
        w.pass(40s);
    }
    for (int round = 0; round < 3; ++round) {
        w.settle();
        while (!w.open.empty())
            w.deny(std::string(w.open.begin()->first));
        w.tell(life::session_refused{failure::permanent(fault::approval_denied, "no")});
    }
    // streams that may ask nobody wait for whatever comes: withdrawn, they are gone
    for (auto id : std::set<life::request_id>(w.waiting))
        w.withdraw(id);
    w.demand(w.machine.waiting() == 0, "requests are left");
    w.check_rest();
}

} // namespace

TEST_CASE("life: the rules hold for random sequences of events") {
    const bool all = rc::check("a credential's life keeps its rules", [] {
        const auto which = *rc::gen::inRange<unsigned>(0, 300);
        const auto dice = *rc::gen::container<std::vector<std::uint32_t>>(
            events_in_a_run, rc::gen::arbitrary<std::uint32_t>());
        life_world w(some_target(which));
        if (which % 4 == 0) // refusals of tokens that were just issued
            w.server.age = 0s;
        if (which % 6 >= 3 && w.machine.whose().grant == grant_kind::authorization_code)
            w.sign_in();
        for (const auto die : dice)
            play(w, die);
        wind_up(w);
        for (const auto& b : w.broken)
            RC_FAIL(b);
        RC_ASSERT(w.server.reuses == 0);
        RC_TAG(w.issued.size() > 3 ? "several credentials" : w.issued.empty() ? "none" : "one to three");
    });
    CHECK(all);
}

TEST_CASE("life: the rules hold for what is minted from a session, and for what the other side calls dead") {
    const bool all = rc::check("a credential's life keeps its rules", [] {
        const auto which = *rc::gen::inRange<unsigned>(0, 300);
        const auto dice = *rc::gen::container<std::vector<std::uint32_t>>(
            events_in_a_run, rc::gen::arbitrary<std::uint32_t>());
        auto target = world_target(which % 3 ? grant_kind::enterprise : grant_kind::authorization_code);
        if (which % 2)
            target.rules = world_rules({confirming()});
        life_world w(target);
        for (const auto die : dice)
            play_beside(w, die);
        wind_up(w);
        for (const auto& b : w.broken)
            RC_FAIL(b);
        RC_ASSERT(w.server.reuses == 0);
    });
    CHECK(all);
}
