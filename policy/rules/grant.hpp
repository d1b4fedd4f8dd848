// How an upstream's credential is obtained.
#pragma once

#include <string_view>
#include <utility>

namespace reauth {

/// `grant:` of an upstream. A session at an identity provider is no upstream's grant, but lives like one.
enum class grant_kind {
    authorization_code,
    client_credentials,
    enterprise,
    jwt_bearer,
    token_exchange, ///< the caller's token for one of the upstream's (RFC 8693)
    static_token,
    idp_session
};
/// How they are written: every grant that an upstream can have.
inline constexpr std::pair<std::string_view, grant_kind> grant_words[] = {
    {"authorization_code", grant_kind::authorization_code},
    {"client_credentials", grant_kind::client_credentials},
    {"enterprise", grant_kind::enterprise},
    {"jwt_bearer", grant_kind::jwt_bearer},
    {"token_exchange", grant_kind::token_exchange},
    {"static", grant_kind::static_token}};
/// "authorization_code", "static" …
std::string_view to_string(grant_kind g) noexcept;

/// Whether a new token can be had without a refresh token and without a person at the upstream.
constexpr bool obtains_by_itself(grant_kind g) noexcept {
    return g == grant_kind::client_credentials || g == grant_kind::jwt_bearer ||
           g == grant_kind::enterprise || g == grant_kind::token_exchange;
}

/// When authorization requests are pushed (RFC 9126): where the server requires it, always, never.
enum class par_mode { automatic, require, never };

/// Whose assertion a token exchange begins with (RFC 8693 §2.1 `subject_token`): the session's ID token (the
/// refresh token where that has expired), always the session's refresh token, or the token that the caller
/// has shown us.
enum class exchange_subject { session, refresh_token, caller };

/// What becomes of a request whose exchange needs a person after all, or does not work: an error, or the
/// ordinary login of the upstream.
enum class exchange_fallback { fail, interactive };

} // namespace reauth
