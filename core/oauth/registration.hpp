// Dynamic client registration (RFC 7591) and the clients we hold at authorization servers.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"
#include "core/oauth/client_auth.hpp"
#include "core/oauth/credential.hpp"
#include "core/oauth/metadata.hpp"
#include "core/oauth/scope.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// Where a client comes from, in the order of preference.
enum class client_origin { pre_registered, metadata_document, dynamic };
std::string_view to_string(client_origin o) noexcept;

/// A client that is known to one authorization server. Kept per (issuer, upstream).
struct registered_client {
    client_identity identity;
    client_origin origin = client_origin::pre_registered;
    std::string issuer;       ///< the only issuer it may be used with (a CIMD id is portable)
    std::string redirect_uri; ///< what it was registered with; empty for pre-registered
    std::optional<time_point> secret_expires_at; ///< nothing: never
    std::optional<time_point> registered_at;     ///< dynamic only; nothing: before this was kept
    /// The server has probably forgotten it: not used for new logins, only for what was issued to it.
    bool retired = false;
    scope_set scope; ///< what it was registered with; empty: none was named

    bool secret_expired_at(time_point now) const { return secret_expires_at && *secret_expires_at <= now; }
};

/// Where our own client metadata document is, below the approval page's public URL.
inline constexpr std::string_view client_metadata_path = "/oauth/client.json";

/// That document (draft-ietf-oauth-client-id-metadata-document): a public client at `url`, which comes back
/// to these addresses. `device`: it signs in on other devices too.
std::string client_metadata_document(const std::string& url, const std::vector<std::string>& redirect_uris,
                                     bool device);

/// What a registration asks for.
struct registration_request {
    std::string redirect_uri;      ///< our callback; empty: the grant needs none
    bool loopback_redirect = true; ///< application_type native, else web
    std::vector<std::string> grant_types{"authorization_code", "refresh_token"};
    scope_set scope;
    std::string client_name = "mcp-reauth";
};

/// The method to ask for: none, basic, post in the order of what the AS lists; absent list: basic with a
/// document (RFC 8414 §2), none without.
client_auth_method registration_auth_method(const authorization_server& server);

/// POST to registration_endpoint (RFC 7591 §3.1). fault::discovery_failed if the AS has none: the fix names
/// pre-registration and CIMD.
result<http_request> build_registration(const authorization_server& server,
                                        const registration_request& wanted);

/// Validates the answer (RFC 7591 §3.2). A secret that was given, asked for or not, is used: as the AS says,
/// and where it says `none` or nothing as its metadata allows. fault::reauth_failed for a refusal; transient
/// for 5xx and 429.
result<registered_client> read_registration(const http_response& answer, const authorization_server& server,
                                            const registration_request& wanted);

/// Client of a client ID metadata document: the id is its URL, public.
registered_client metadata_document_client(std::string_view issuer, std::string_view document_url,
                                           std::string_view redirect_uri);

/// For the vault.
secret registered_client_to_json(const registered_client& client);
/// fault::vault_unavailable if it is not what registered_client_to_json wrote.
result<registered_client> registered_client_from_json(const secret& text);

} // namespace reauth
