// What a timeline says of a life's actions and of their ends.
#pragma once

#include "policy/life/life_actions.hpp"
#include "proxy/evidence/timeline.hpp"

namespace reauth {

/// A piece of work, in a word or two: "lock", "token request" …
std::string_view name_of(const life::discover&);
std::string_view name_of(const life::lock&);
std::string_view name_of(const life::unlock&);
std::string_view name_of(const life::look&);
std::string_view name_of(const life::run&);
std::string_view name_of(const life::store&);
std::string_view name_of(const life::undo_store&);
std::string_view name_of(const life::erase&);
std::string_view name_of(const life::take_call&);
std::string_view name_of(const life::revoke&);
std::string_view name_of(const life::retire&);
std::string_view name_of(const life::begin_sign_in&);
std::string_view name_of(const life::await_device&);
std::string_view name_of(const life::release_binding&);
std::string_view name_of(const life::redeem&);
std::string_view name_of(const life::discard_pending&);

/// The approval that it is for; empty: none.
template<class Action>
std::string approval_of(const Action& a) {
    if constexpr (requires { a.approval; })
        return a.approval;
    else if constexpr (requires { a.pending.approval_id; })
        return a.pending.approval_id;
    else
        return {};
}

/// What it is about, as far as it is worth telling.
template<class Action>
timeline_facts facts_of(const Action& a) {
    timeline_facts facts;
    if constexpr (requires { a.step; })
        facts.emplace_back("step", std::string(to_string(a.step)));
    if constexpr (requires { a.scopes; })
        facts.emplace_back("scopes", a.scopes.to_string());
    return facts;
}
timeline_facts facts_of(const life::judged& a);
timeline_facts facts_of(const life::refusal& what, const std::string& sent);
timeline_facts facts_of(const life::show& a);
timeline_facts facts_of(const recovery_verdict& v);

/// How work ended: `code` and `message` where it failed, a word where there is one.
timeline_facts end_of(const life_event& end);

} // namespace reauth
