// What the tests of a credential's life look at.
#pragma once

#include "tests/support/life_world.hpp"

#include "tests/support/catch.hpp"

namespace reauth::test {

inline rule confirming(const std::string& reason = "insufficient_scope") {
    rule r;
    r.name = "asks first";
    if (!reason.empty())
        r.match.reason = {"insufficient_scope"};
    r.action = rule_action::confirm;
    return r;
}

/// A machine grant whose step-up a person confirms.
inline credential_binding confirmed_target() {
    auto t = world_target(grant_kind::client_credentials);
    t.rules = world_rules({confirming()});
    return t;
}

inline void holds(const life_world& w) {
    for (const auto& b : w.broken)
        FAIL_CHECK(b);
}

inline fault code_of(const life_world& w, life::request_id id) {
    const auto found = w.answers.find(id);
    REQUIRE(found != w.answers.end());
    return found->second.front().why.code;
}

inline bool replayed(const life_world& w, life::request_id id) {
    const auto found = w.answers.find(id);
    return found != w.answers.end() && found->second.front().is == recovery_verdict::kind::replay;
}

inline std::string token_of(const credential* c) {
    return c ? std::string(c->access_token.reveal()) : "";
}

} // namespace reauth::test
