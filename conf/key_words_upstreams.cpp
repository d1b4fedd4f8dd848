// The rows of upstreams.NAME: what can be said of one server.
#include "conf/key_words.hpp"

namespace reauth {

namespace {

constexpr key_words upstream_rows[] = {
    {"upstreams", "The MCP servers, by name: letters, digits and `. _ -`. Clients use `listen` and `path`."},
    {"upstreams.NAME.url",
     "The server's URL. Requests at `path` go to it, at `path/REST` to `url/REST`, with their query. Only "
     "loopback may be http.",
     "https://mcp.example.com/mcp"},
    {"upstreams.NAME.path", "Where clients find it.", "/example"},
    {"upstreams.NAME.listen", "An address of its own beside the common one, with the server at `/`.",
     "127.0.0.1:9980", "none"},
    {"upstreams.NAME.allow_http",
     "Plain http beyond loopback, to it and to what its metadata names: in a network that you trust.",
     "true"},
    {"upstreams.NAME.grant",
     "How its credential is obtained. `authorization_code`: a person signs in. `client_credentials`: as "
     "ourselves. "
     "`enterprise`: from the identity provider's session. `jwt_bearer`: from a workload's JWT. "
     "`token_exchange`: from the token that the caller shows. `static`: a token that you give.",
     "client_credentials"},
    {"upstreams.NAME.client", "Our client at its authorization server."},
    {"upstreams.NAME.identity_provider", "One of `identity_providers`, for `grant: enterprise`.", "acme"},
    {"upstreams.NAME.subject",
     "What `grant: enterprise` begins its exchange with: the session's ID token, its refresh token, or the "
     "token that "
     "the caller has shown (`client_auth` with `jwt`).",
     "refresh_token", "`caller` where `client_auth` has `jwt`, else `session`"},
    {"upstreams.NAME.exchange",
     "Where, and for what, `grant: token_exchange` exchanges the caller's token (RFC 8693). Left out: at the "
     "upstream's own authorization server."},
    {"upstreams.NAME.exchange.identity_provider",
     "At that one of `identity_providers`, with our client there.", "acme"},
    {"upstreams.NAME.exchange.token_endpoint", "At this URL, with the upstream's `client`.",
     "https://sts.acme.example/token"},
    {"upstreams.NAME.exchange.audience", "For whom the new token shall be.", "https://mcp.example.com",
     "not sent"},
    {"upstreams.NAME.exchange.resource", "The resource indicator that is sent.",
     "https://mcp.example.com/mcp", "the upstream's"},
    {"upstreams.NAME.exchange.requested_token_type", "What kind of token is asked for.",
     "urn:ietf:params:oauth:token-type:access_token", "not sent"},
    {"upstreams.NAME.exchange.actor",
     "A JWT that says who acts for the caller (`actor_token`); read anew each time.",
     "{file: /var/run/secrets/token}", "not sent"},
    {"upstreams.NAME.fallback",
     "Where the exchange is refused for want of a person, or does not reach the upstream "
     "(`interaction_required`, "
     "`consent_required`, `invalid_target`): an error, or the upstream's ordinary login.",
     "interactive"},
    {"upstreams.NAME.scopes", "What is asked for.", "[read, write]",
     "the challenge's, else the metadata's `scopes_supported`, else none"},
    {"upstreams.NAME.resource", "The resource indicator (RFC 8707): `auto`, `omit`, or a URI.", "omit"},
    {"upstreams.NAME.token", "The token of `grant: static`; read again when it changes.",
     "{file: example.token}"},
    {"upstreams.NAME.token_type", "How that token is sent: its scheme, or none.", "Basic"},
    {"upstreams.NAME.header", "The header field it is sent in.", "X-API-Key"},
    {"upstreams.NAME.assertion", "The workload's JWT for `grant: jwt_bearer`; read anew each time.",
     "{file: /var/run/secrets/token}"},
    {"upstreams.NAME.dpop", "Tokens bound to a key of ours (RFC 9449). `auto`: where the server asks for it.",
     "require"},
    {"upstreams.NAME.par",
     "Pushed authorization requests (RFC 9126). `auto`: where the server requires them.", "never"},
    {"upstreams.NAME.cookies",
     "Cookies between client and server. `jar`: the server's are kept here, per MCP session, for load "
     "balancers.",
     "jar"},
    {"upstreams.NAME.bearer", "Which of the tokens that are issued is sent.", "id_token"},
    {"upstreams.NAME.login",
     "Where people sign in: in a browser that comes back to us, or on any device, with a code (RFC 8628).",
     "device"},
    {"upstreams.NAME.prefer", "Which of the host's addresses are connected to.", "ipv4"},
    {"upstreams.NAME.era",
     "`bridge`: a client of the 2025 revisions is understood by a server that speaks 2026-07-28 only.",
     "bridge"},
    {"upstreams.NAME.token_request", "How long one answer of its authorization server may take.", "30s",
     "`limits.token_request`"},
    {"upstreams.NAME.authorization_server",
     "Overrides what discovery finds; with `issuer` it replaces discovery, for servers that have none."},
    {"*.authorization_server.issuer", "Its issuer.", "https://login.example.com"},
    {"*.authorization_server.authorization_endpoint", "Where people sign in.",
     "https://login.example.com/authorize"},
    {"*.authorization_server.token_endpoint", "Where tokens are issued.", "https://login.example.com/token"},
    {"*.authorization_server.registration_endpoint", "Where clients register (RFC 7591).",
     "https://login.example.com/register"},
    {"*.authorization_server.revocation_endpoint", "Where tokens are revoked (RFC 7009).",
     "https://login.example.com/revoke"},
    {"*.authorization_server.device_authorization_endpoint", "Where device logins begin (RFC 8628).",
     "https://login.example.com/device"},
    {"*.authorization_server.pushed_authorization_request_endpoint",
     "Where authorization requests are pushed (RFC 9126).", "https://login.example.com/par"},
    {"*.authorization_server.introspection_endpoint", "Where tokens are looked into (RFC 7662).",
     "https://login.example.com/introspect"},
    {"*.authorization_server.userinfo_endpoint", "Where it says who has signed in (OpenID Connect).",
     "https://login.example.com/userinfo"},
    {"*.authorization_server.jwks_uri", "Its keys.", "https://login.example.com/jwks"},
    {"upstreams.NAME.metadata",
     "`/.well-known/oauth-*` of the server through us. `shield`: 404, so that no client begins a login of "
     "its own.",
     "pass"},
    {"upstreams.NAME.allow_missing_pkce",
     "Signs in although the server's metadata does not promise PKCE with S256.", "true"},
    {"upstreams.NAME.headers",
     "Header fields that every request gets; each a text or a secret. Not `Authorization`.", "{X-Org: acme}",
     "none"},
    {"upstreams.NAME.authorize_params", "Added to the authorization URL.", "{prompt: consent}", "none"},
    {"upstreams.NAME.challenges",
     "Where this server challenges: `http`, by its status; `result`, in a tool's result too "
     "(`mcp/www_authenticate`).",
     "[http, result]", "`[http]`"},
    {"upstreams.NAME.treat_as_challenge", "Statuses by which this server refuses a token, beside 401.",
     "[500]", "none"},
    {"upstreams.NAME.callback_path",
     "Where its authorization server sends people back to, below `approval.public_url`: for apps that are "
     "registered so.",
     "/oauth/linear"},
    {"upstreams.NAME.tls", "Towards the server and its authorization server."},
};

} // namespace

std::span<const key_words> words_of_upstreams() {
    return upstream_rows;
}

} // namespace reauth
