// What went wrong, as a value: a stable code, one sentence, and what to change.
#pragma once

#include <boost/system/result.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace reauth {

/// The stable words that a client, a script or a log reader sees (`error.data.code`; docs/errors.md lists
/// them all).
enum class fault {
    approval_required,  ///< a person has to decide; the message holds the link
    approval_denied,    ///< a person said no
    approval_timeout,   ///< nobody decided in time
    denied_by_policy,   ///< a policy rule forbids it
    insufficient_scope, ///< asking for more scope did not or would not help
    issuer_not_pinned,  ///< a secret would go to an issuer that the operator has not named
    issuer_changed,     ///< the upstream names another authorization server than the pinned one
    reauth_failed,      ///< the authorization server refused for good (invalid_grant, invalid_client …)
    authorization_server_unavailable, ///< the authorization server did not answer, or answered 5xx: try later
    discovery_failed,                 ///< metadata is missing, contradictory or unsafe
    upstream_unreachable,             ///< no answer from the upstream
    upstream_timeout,                 ///< the upstream was too slow
    upstream_malformed,               ///< the upstream's answer breaks HTTP framing
    request_not_replayable,           ///< the request could not be sent again
    egress_refused,                   ///< an address that we do not talk to
    overloaded,            ///< a limit of ours is reached (`limits.waiters`, `limits.replay_memory`)
    vault_unavailable,     ///< a credential could not be read or made durable
    audit_unavailable,     ///< `audit.required`: the line of what somebody answers for can't be written
    invalid_configuration, ///< the configuration must be changed
    session_over,          ///< the upstream refuses the client's session: a new one begins with `initialize`
    identity_ended,        ///< the company has ended whoever calls: signed out, revoked
    shutting_down,         ///< this process ends; another one, or the next, answers
    internal,              ///< a bug of ours
};

/// The stable spelling of a fault, e.g. "approval_required".
std::string_view to_string(fault f) noexcept;

/// An error as a value. `message` is one sentence for a person and never holds a secret; `fix` says what to
/// change (may be empty); `oauth_error` is the `error` member of an RFC 6749 §5.2 answer if that is the
/// cause. `transient` tells that trying the very same later may work.
struct failure {
    fault code = fault::internal;
    std::string message;
    std::string fix;
    std::string oauth_error;
    bool transient = false;
    unsigned status = 0; ///< of the HTTP answer that is the cause; 0: none, or it does not matter
    /// Transient: the server asked to be left alone for so long (RFC 9110 §10.2.3); nothing: it did not.
    std::optional<std::chrono::seconds> retry_after = {};

    /// The very same again fails again.
    static failure permanent(fault code, std::string message, std::string fix = {});
    /// Trying the very same later may work.
    static failure passing(fault code, std::string message, std::string fix = {});
    static failure of(fault code, std::string message, bool transient, std::string fix = {});
    /// The same with the `error` member of the OAuth answer that is the cause.
    failure with_oauth_error(std::string error) &&;

    /// message and fix as one line.
    std::string describe() const;
};

/// A value or a failure.
template<class T>
using result = boost::system::result<T, failure>;

/// Makes result<T>::value() usable; callers normally test has_value() first.
[[noreturn]] inline void throw_exception_from_error(const failure& f, const boost::source_location&) {
    throw std::runtime_error(f.message);
}

} // namespace reauth
