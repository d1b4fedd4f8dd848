// An approval: one question that waits for a person. The record that the life of a credential keeps, and that
// the page, the API and the log show.
#pragma once

#include "core/base/failure.hpp"
#include "core/mcp/shown_call.hpp"
#include "core/oauth/authorization.hpp"
#include "core/oauth/credential.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

enum class approval_kind {
    login,
    step_up,
    idp_login,
    call, ///< exactly this call, before it is sent
};
enum class approval_status {
    pending,     ///< nobody has decided
    authorizing, ///< a person was sent to the provider
    approved,
    denied,
    expired,
    failed,
    superseded, ///< a wider question took its place, or its upstream was changed
    signed_out, ///< somebody signed out while it waited
};
std::string_view to_string(approval_kind k) noexcept;
std::string_view to_string(approval_status s) noexcept;

/// Nothing changes it any more.
bool decided(approval_status s) noexcept;

/// One question. Strings from outside are kept raw and cleaned (core/text/display_text.hpp) where they are
/// shown.
struct approval {
    std::string id;     ///< 16 characters, shown and logged
    secret link_secret; ///< 128 bits, base64url: the capability in /a/{secret}; never logged
    approval_kind kind = approval_kind::login;
    approval_status status = approval_status::pending;
    std::string upstream, principal = "local";
    std::string reason; ///< to_string(challenge_reason)
    scope_set granted, requested, added;
    std::string acr_values;                      ///< RFC 9470: how the person is to sign in; empty: not said
    std::optional<std::chrono::seconds> max_age; ///< … and how long ago at most
    std::string tool, method, client_name;
    std::string arguments; ///< of a tool call that needs a sign-in: shown_arguments(); never logged
    /// Of a call that waits to be sent: all that the digest binds. `tool` and `method` are those of the
    /// message that the rule names.
    shown_calls calls;
    std::string target;  ///< … and the URL that it is sent to
    std::string digest;  ///< of a call: what is approved (SHA-256, base64url)
    bool used = false;   ///< of an approved call: it was sent, and nothing else may be sent for it
    bool wished = false; ///< a person has asked for it, and no request
    std::string upstream_host, issuer, login_host, token_host;
    /// What a person approved before, where that is another: it is warned about.
    std::string issuer_before, login_host_before, token_host_before;
    bool completes_without_login = false; ///< approving ends in "done": needs the operator
    time_point created_at{}, expires_at{};
    std::string location; ///< once authorizing: the authorization URL, or where a code is entered
    /// A pushed request's end (RFC 9126): an approve after that begins anew. Nothing: as long as the
    /// approval.
    std::optional<time_point> location_until;
    bool device_offered = false;             ///< its server has device logins (RFC 8628)
    std::string user_code, verification_uri; ///< of a device login, once authorizing; else empty
    std::string outcome;                     ///< one sentence once it is decided
    std::string decided_by;     ///< who said yes or no, where that is known: a principal, or "operator"
    std::string recovery{};     ///< the id of its timeline; empty: nobody keeps one
    std::string account_before; ///< as whom somebody was signed in there; empty: nobody, or not known

    /// The upstream asks for a sign-in of a certain strength or youth (RFC 9470).
    bool wants_authentication() const { return !acr_values.empty() || max_age.has_value(); }
    bool same_authentication(const approval& other) const {
        return acr_values == other.acr_values && max_age == other.max_age;
    }
};

/// What a person's client may do with an approval: by the capability link alone, with the operator's token,
/// or as the person whom it concerns, who has signed in to the page.
enum class approver { link_holder, operator_token, person };

/// How a person wants to sign in.
enum class sign_in_method { as_configured, browser, device };

/// The answer to approve: where the browser goes next, or done.
struct approve_answer {
    bool done = false;
    std::string location;
    std::string user_code, verification_uri; ///< of a device login: to be entered there, on any device
    /// Set for flows started on the page: cookie value that binds the flow to that browser.
    std::optional<secret> browser_binding;
    secret state = {};             ///< … of that flow
    std::string redirect_uri = {}; ///< … where it comes back to
};

/// The parameters of GET /oauth/callback.
using callback_parameters = authorization_callback;

/// What happened to a callback, for the page: one sentence, cleaned by the page.
struct callback_outcome {
    bool ok = false;
    std::string title, detail;
    std::string approval_id;  ///< empty if the state is unknown
    std::string warning = {}; ///< what a person should look at; empty: nothing
};

} // namespace reauth
