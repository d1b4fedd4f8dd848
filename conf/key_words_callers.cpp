// The rows of client_auth: who may call.
#include "conf/key_words.hpp"

namespace reauth {

namespace {

constexpr key_words caller_rows[] = {
    {"client_auth",
     "Who may call: one entry, or a list; the first that fits names the principal. Each has one of `bearer`, "
     "`jwt`, `mtls` and `header`. Without it whoever reaches `listen` is `local`.",
     "[{principal: ada, bearer: {file: ada.token}}]"},
    {"client_auth[].principal",
     "Of a bearer: on whose behalf the client acts; each principal has its own credentials, approvals and "
     "cookies.",
     "ada"},
    {"client_auth[].bearer",
     "What it presents as `Authorization: Bearer`: at least 16 characters (`openssl rand -hex 32`).",
     "{file: client.token}"},
    {"client_auth[].name",
     "What the names of an entry's principals begin with, `NAME/SUBJECT`: where two entries would share one.",
     "acme", "the issuer's host, `mtls`, `gateway`"},
    {"client_auth[].jwt", "Access tokens (RFC 9068) or ID tokens of the company's identity provider. Who "
                          "shows none gets a 401 that "
                          "names it (RFC 9728)."},
    {"client_auth[].jwt.issuer", "Their exact `iss`.", "https://idp.acme.example"},
    {"client_auth[].jwt.audience", "`aud` must hold one of these.", "https://mcp.acme.example"},
    {"client_auth[].jwt.jwks_uri", "Where its keys are.", "https://idp.acme.example/keys",
     "what the issuer's metadata names"},
    {"client_auth[].jwt.algorithms", "What they may be signed with.", "[RS256]", "[RS256, ES256, EdDSA]"},
    {"client_auth[].jwt.principal", "The claim that names the caller.", "email"},
    {"client_auth[].jwt.groups", "The claim that holds its groups; a dot goes into an object.",
     "realm_access.roles"},
    {"client_auth[].jwt.scopes", "A token must have all of these.", "[mcp]", "none"},
    {"client_auth[].jwt.leeway", "How far its clock and ours may differ.", "10s"},
    {"client_auth[].jwt.ca_file", "PEM file with the authorities that are trusted for the issuer.", "ca.pem",
     "the system's"},
    {"client_auth[].mtls", "Client certificates. They need `tls`."},
    {"client_auth[].mtls.ca_file", "PEM file with the authorities whose certificates are taken.",
     "clients.pem"},
    {"client_auth[].mtls.principal",
     "Which name of the certificate is the principal: `uri` is the one URI of its subjectAltName (a SPIFFE "
     "ID).",
     "cn"},
    {"client_auth[].header",
     "A gateway in front has authenticated, and says whom: oauth2-proxy, Pomerium, Envoy."},
    {"client_auth[].header.name", "The header field with the caller's name.", "X-Auth-Request-User"},
    {"client_auth[].header.groups", "The header field with its groups, separated by commas.",
     "X-Auth-Request-Groups", "none"},
    {"client_auth[].header.secret",
     "What shows that it is the gateway. Without it it is believed over a Unix socket alone."},
    {"client_auth[].header.secret.name", "The header field that the secret is sent in.", "X-Gateway-Secret"},
    {"client_auth[].header.secret.value", "The secret; at least 16 characters.", "{file: gateway.secret}"},
};

} // namespace

std::span<const key_words> words_of_callers() {
    return caller_rows;
}

} // namespace reauth
