// The policy: ordered rules that say what may be done about a challenge; the first that matches decides.
#pragma once

#include "core/oauth/scope.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Why the upstream challenged us.
enum class challenge_reason {
    unauthorized,
    token_expired,
    invalid_token,
    insufficient_scope,
    user_authentication ///< RFC 9470: the person must sign in afresh, or in another way
};
std::string_view to_string(challenge_reason r) noexcept;

/// What a rule lets us do.
enum class rule_action {
    silent,      ///< only what needs no person, else fail
    confirm,     ///< ask a person, then silent if possible, else interactive
    interactive, ///< silent if possible, else ask
    deny,        ///< answer denied_by_policy
    approve,     ///< a person approves exactly this call before it is sent; says nothing about challenges
    pass,        ///< the client's own Authorization and the upstream's challenge go through untouched
};
std::string_view to_string(rule_action a) noexcept;

/// How a client experiences the wait for a person.
enum class wait_mode { automatic, stream, hold, elicit, fail };
std::string_view to_string(wait_mode m) noexcept;

/// `wait:` of a rule. Absent members keep the defaults: auto; 5 min with a progressToken, 50 s
/// without.
struct wait_settings {
    wait_mode mode = wait_mode::automatic;
    std::optional<std::chrono::milliseconds> timeout;
    std::chrono::milliseconds grace{2000};      ///< before the 200 SSE head is sent
    std::chrono::milliseconds heartbeat{10000}; ///< between comments
};

/// `match:` of a rule: lists of globs, of which one must match; an empty list matches everything. What each
/// means stands in match_keys.hpp, a row for each member.
struct rule_match {
    std::vector<std::string> upstream;
    std::vector<std::string> reason; ///< to_string(challenge_reason)
    std::vector<std::string> scopes; ///< over the scopes that would be added
    std::vector<std::string> method; ///< JSON-RPC method
    std::vector<std::string> tool;
    std::vector<std::string> principal;
    std::vector<std::string> group; ///< of which the caller is in one
    std::vector<std::string> grant; ///< the upstream's grant ("enterprise" …); used by the built-in rules
};

/// One rule.
struct rule {
    std::string name; ///< may be empty
    rule_match match;
    rule_action action = rule_action::interactive;
    wait_settings wait;
    bool observe = false; ///< judged and recorded; the next rule decides
    std::string where;    ///< "file:line", or "built in"

    /// How it is called in messages: its name in quotes, or its place, e.g. `'no admin' (policy.yaml:12)`.
    std::string label() const;
};

/// All rules in order; the built-in ones come last and always match.
struct rule_set {
    std::vector<rule> rules;
};

/// The rules behind the file's: renewals silent (a person is asked only if that is impossible), step-up of
/// `enterprise` confirmed, step-up of `client_credentials` silent, everything else interactive. Append them
/// to every rule set.
std::vector<rule> builtin_rules();

/// The rules as YAML, in order, one `- {…}` a line with where each comes from as a comment: what `check`
/// prints.
std::string to_yaml(const rule_set& rules);

/// One rule as the flow mapping that stands after `- `; what "remember this" shows.
std::string to_yaml(const rule& r);

/// What is known before any request: where it goes, and who calls.
struct rule_place {
    std::string_view upstream, principal;
    const std::vector<std::string>& groups; ///< of the caller
};

/// Whether any rule wants calls of this upstream approved for this caller, so that their bodies must be
/// read before they are sent.
bool approves_calls(const rule_set& rules, const rule_place& where);

/// Whether every challenge of this upstream is passed through for this caller, whatever it says: then the
/// client's own Authorization goes upstream from the start.
bool passes_always(const rule_set& rules, const rule_place& where);

} // namespace reauth
