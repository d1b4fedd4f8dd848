// What to try after a challenge, and which scopes to ask for: the recovery table as a pure function.
#pragma once

#include "core/oauth/challenge.hpp"
#include "core/oauth/scope.hpp"
#include "policy/rules/grant.hpp"
#include "policy/rules/rules.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// One way to a new credential. Steps are tried in this order.
enum class recovery_step {
    refresh,            ///< refresh_token grant
    client_credentials, ///< a new token for the machine itself
    jwt_bearer,         ///< a new token for the workload's assertion
    token_exchange,     ///< the caller's token for one of the upstream's
    enterprise_mint,    ///< legs 2 and 3 with the IdP session that is held
    static_token,       ///< the configured token, read again: its file may have changed
    login,              ///< a person logs in at the upstream's authorization server
    idp_login,          ///< a person logs in at the organisation's IdP, then legs 2 and 3
};
std::string_view to_string(recovery_step r) noexcept;
/// Whether a person has to act.
constexpr bool needs_person(recovery_step r) noexcept {
    return r == recovery_step::login || r == recovery_step::idp_login;
}

/// The policy's word for a parsed challenge; nothing for what asks for no recovery (not_a_challenge,
/// dpop_nonce).
std::optional<challenge_reason> reason_for(challenge_kind kind) noexcept;

/// What is known when a challenge arrives.
struct recovery_facts {
    grant_kind grant = grant_kind::authorization_code;        ///< idp_session for a session
    challenge_reason reason = challenge_reason::unauthorized; ///< as the upstream said it
    scope_set challenged;                                     ///< `scope` of the challenge
    std::optional<scope_set> configured;                      ///< `scopes` of the upstream's configuration
    scope_set supported;        ///< `scopes_supported` of the PRM, once it is known
    bool held = false;          ///< a credential is stored
    bool refresh_token = false; ///< … and it holds a refresh token
    scope_set requested;        ///< what the stored credential was asked with
    scope_set granted;          ///< what it was granted
    bool idp_session = false;   ///< the IdP session can mint: ID token unexpired, or IdP refresh token held
    bool idp_login = true; ///< a person may log in at the IdP; false: the configuration supplies the ID token
    /// How the refused token was obtained, if that happened during this very request: it goes to the steps
    /// after that.
    std::optional<recovery_step> just_obtained_by;
    bool exchange_login =
        false; ///< token_exchange: the ordinary login is allowed where the exchange is refused
    bool signed_in_anew = false; ///< a person has been at the provider for this very request
    std::string audience;        ///< for whom that token says to be, cleaned; empty: it can't be read
};

/// What may be tried.
struct recovery_plan {
    challenge_reason judged_as =
        challenge_reason::unauthorized; ///< for the policy: insufficient_scope for every step-up
    bool step_up = false;
    std::vector<recovery_step> silent; ///< in order
    std::optional<recovery_step>
        person;              ///< what remains if none of those worked; nothing: no person can help
    scope_set silent_scopes; ///< what silent steps ask for: the stored set, or the union for a step-up
    scope_set login_scopes;  ///< what a person is asked for; empty: send no `scope`
    scope_set added;         ///< login_scopes (silent_scopes for machine grants) beyond what is stored
    bool last_try = false;   ///< a 403 that asks for nothing new: renewed silently once, then it is final
    bool final =
        false; ///< nothing can help: answer insufficient_scope or reauth_failed, remember it for a minute
    std::string explanation; ///< one sentence

    /// Neither a silent step nor a person.
    bool hopeless() const { return silent.empty() && !person; }
};

/// The recovery table. A renewal asks for exactly the stored set; a 401 whose scope wants more than what is
/// stored is a step-up; a login after a 401 replaces the set; a 403 step-up asks for the union of what was
/// requested and challenged.
recovery_plan plan_recovery(const recovery_facts& facts);

/// The scopes of a first login: configured, else the challenge's, else the PRM's scopes_supported, else none.
scope_set first_scopes(const std::optional<scope_set>& configured, const scope_set& challenged,
                       const scope_set& supported);

} // namespace reauth
