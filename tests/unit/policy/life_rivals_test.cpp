// Every flow of a credential's life, with a fault and with each rival event at every one of its steps.
#include "tests/support/life_world.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

struct scenario {
    std::string name;
    credential_binding whose;
    std::function<void(life_world&)> prepare; ///< up to where the steps are counted
    std::function<void(life_world&)> go_on;   ///< what a person does whenever no work is left; may do nothing
};

/// Approves what is open and comes back from the provider, once each.
void person(life_world& w) {
    for (const auto& [id, a] : w.open) {
        if (a.status == approval_status::pending) {
            const auto copy = id;
            w.approve(copy);
            return;
        }
        if (w.begun.contains(id)) {
            const auto copy = id;
            w.come_back(copy);
            return;
        }
    }
}

std::vector<scenario> scenarios() {
    rule confirm;
    confirm.match.reason = {"insufficient_scope"};
    confirm.action = rule_action::confirm;
    auto confirmed = world_target(grant_kind::client_credentials);
    confirmed.rules = world_rules({confirm});
    const auto nobody = [](life_world&) {};
    return {
        {"first login", world_target(), [](life_world& w) { w.refuse(); }, person},
        {"refresh", world_target(),
         [](life_world& w) {
             w.sign_in();
             w.refuse();
         },
         nobody},
        {"renewal ahead", world_target(),
         [](life_world& w) {
             w.sign_in();
             w.tell(life::renewal_due{w.machine.held()->generation});
         },
         nobody},
        {"step-up", world_target(),
         [](life_world& w) {
             w.sign_in();
             w.refuse(challenge_kind::insufficient_scope, "write");
         },
         person},
        {"machine token", world_target(grant_kind::client_credentials), [](life_world& w) { w.refuse(); },
         nobody},
        {"confirmed step-up", confirmed,
         [](life_world& w) {
             w.refuse();
             w.settle();
             w.refuse(challenge_kind::insufficient_scope, "write");
         },
         person},
        {"operator's login", world_target(),
         [](life_world& w) {
             life::login_asked e;
             e.caller = 1000;
             w.tell(e);
         },
         person},
    };
}

struct rival {
    std::string name;
    std::function<void(life_world&)> happens;
};

std::vector<rival> rivals() {
    return {
        {"sign-out", [](life_world& w) { w.sign_out(); }},
        {"denial",
         [](life_world& w) {
             if (!w.open.empty())
                 w.deny(std::string(w.open.begin()->first));
         }},
        {"expiry", [](life_world& w) { w.pass(16min); }},
        {"another origin",
         [](life_world& w) {
             auto moved = w.machine.whose();
             moved.url = "https://other.example/mcp";
             w.moved = true;
             w.tell(life::reconfigured{moved});
         }},
        {"the same configuration again",
         [](life_world& w) { w.tell(life::reconfigured{w.machine.whose()}); }},
        {"removal",
         [](life_world& w) {
             w.moved = true;
             w.tell(life::removed{});
         }},
        {"another process's store",
         [](life_world& w) {
             if (w.vault.lock)
                 return; // it keeps to the lock
             w.rival_stores(w.vault.generation + 1, {"read", "write"});
             w.tell(life::vault_changed{w.vault.state()});
         }},
        {"another process's sign-out",
         [](life_world& w) {
             w.rival_signs_out();
             w.tell(life::vault_changed{w.vault.state()});
         }},
        {"cancel",
         [](life_world& w) {
             if (!w.waiting.empty())
                 w.withdraw(*w.waiting.begin());
         }},
        {"another request", [](life_world& w) { w.refuse(challenge_kind::invalid_token, "read"); }},
        {"a second approve",
         [](life_world& w) {
             if (!w.open.empty())
                 w.approve(std::string(w.open.begin()->first), approver::operator_token, false);
         }},
        {"renewal",
         [](life_world& w) {
             if (w.machine.held())
                 w.tell(life::renewal_due{w.machine.held()->generation});
         }},
        {"a vault that can't be written", [](life_world& w) { w.vault.writable = false; }},
        {"a vault that can't be read", [](life_world& w) { w.vault.readable = false; }},
        {"the end", [](life_world& w) { w.tell(life::stopping{}); }},
    };
}

/// Goes on for `steps` steps: works in their order, a person where none is left. False: it was over before.
bool advance(life_world& w, const scenario& s, int steps) {
    for (int i = 0; i < steps; ++i) {
        if (w.works.empty() || !w.can_finish(0)) {
            const auto was = w.callers;
            s.go_on(w);
            if (w.callers == was)
                return false;
        } else {
            w.finish(0);
        }
    }
    return true;
}

/// The world heals and everything comes to its end.
void wind_up(life_world& w, const scenario& s) {
    w.vault.writable = w.vault.readable = true;
    for (int round = 0; round < 8; ++round) {
        w.settle();
        s.go_on(w);
        w.pass(40s);
        w.settle();
    }
    while (!w.open.empty()) {
        w.deny(std::string(w.open.begin()->first));
        w.settle();
    }
    w.settle();
    w.demand(w.waiting.empty(), "requests are left waiting");
    w.check_rest();
}

void check(life_world& w, const std::string& what) {
    INFO(what);
    for (const auto& b : w.broken)
        FAIL_CHECK(b);
    CHECK(w.server.reuses == 0);
}

} // namespace

TEST_CASE("life: each rival event at every step of every flow") {
    int tried = 0;
    for (const auto& s : scenarios())
        for (const auto& r : rivals())
            for (int step = 0;; ++step) {
                life_world w(s.whose);
                s.prepare(w);
                const bool going = advance(w, s, step);
                r.happens(w);
                ++tried;
                if (w.machine.whose().url == s.whose.url && r.name != "removal" && r.name != "the end")
                    wind_up(w, s);
                else
                    wind_up(w, {s.name, s.whose, {}, [](life_world&) {}});
                check(w, s.name + ", " + r.name + " at step " + std::to_string(step));
                if (!going)
                    break;
            }
    CHECK(tried > 500);
}

TEST_CASE("life: each work of every flow fails once, in passing and for good") {
    int tried = 0;
    for (const auto& s : scenarios())
        for (const auto how : {ending::trouble, ending::refusal})
            for (int step = 0;; ++step) {
                life_world w(s.whose);
                s.prepare(w);
                const bool going = advance(w, s, step);
                if (!w.works.empty() && w.can_finish(0))
                    w.finish(0, how);
                ++tried;
                wind_up(w, s);
                check(w, s.name + ", a fault at step " + std::to_string(step));
                if (!going)
                    break;
            }
    CHECK(tried > 60);
}
