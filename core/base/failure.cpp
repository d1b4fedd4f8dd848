// The stable names of the codes, and a failure in one sentence.
#include "core/base/failure.hpp"

namespace reauth {

std::string_view to_string(fault f) noexcept {
    switch (f) {
    case fault::approval_required:
        return "approval_required";
    case fault::approval_denied:
        return "approval_denied";
    case fault::approval_timeout:
        return "approval_timeout";
    case fault::denied_by_policy:
        return "denied_by_policy";
    case fault::insufficient_scope:
        return "insufficient_scope";
    case fault::issuer_not_pinned:
        return "issuer_not_pinned";
    case fault::issuer_changed:
        return "issuer_changed";
    case fault::reauth_failed:
        return "reauth_failed";
    case fault::authorization_server_unavailable:
        return "authorization_server_unavailable";
    case fault::discovery_failed:
        return "discovery_failed";
    case fault::upstream_unreachable:
        return "upstream_unreachable";
    case fault::upstream_timeout:
        return "upstream_timeout";
    case fault::upstream_malformed:
        return "upstream_malformed";
    case fault::request_not_replayable:
        return "request_not_replayable";
    case fault::egress_refused:
        return "egress_refused";
    case fault::overloaded:
        return "overloaded";
    case fault::vault_unavailable:
        return "vault_unavailable";
    case fault::invalid_configuration:
        return "invalid_configuration";
    case fault::session_over:
        return "session_over";
    case fault::audit_unavailable:
        return "audit_unavailable";
    case fault::identity_ended:
        return "identity_ended";
    case fault::shutting_down:
        return "shutting_down";
    case fault::internal:
        return "internal";
    }
    return "internal";
}

failure failure::of(fault code, std::string message, bool transient, std::string fix) {
    failure f;
    f.transient = transient;
    f.code = code;
    f.message = std::move(message);
    f.fix = std::move(fix);
    return f;
}

failure failure::permanent(fault code, std::string message, std::string fix) {
    return of(code, std::move(message), false, std::move(fix));
}

failure failure::passing(fault code, std::string message, std::string fix) {
    return of(code, std::move(message), true, std::move(fix));
}

failure failure::with_oauth_error(std::string error) && {
    oauth_error = std::move(error);
    return std::move(*this);
}

std::string failure::describe() const {
    if (fix.empty())
        return message;
    return message + " — " + fix;
}

} // namespace reauth
