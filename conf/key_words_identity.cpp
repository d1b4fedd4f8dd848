// The rows of people: who signs in to the page, what ends an identity, accounts.
#include "conf/key_words.hpp"

namespace reauth {

namespace {

constexpr key_words identity_rows[] = {
    {"approval.sign_in",
     "People sign in to page and dashboard with the company, see what is theirs, and decide it. Without it "
     "links and the operator's token do.",
     "{identity_provider: acme, operators: {group: mcp-admins}}", "none"},
    {"approval.sign_in.identity_provider",
     "One of `identity_providers`, where they sign in. Its client comes back to `/oauth/callback`.", "acme"},
    {"approval.sign_in.operators", "Who sees and decides everything."},
    {"approval.sign_in.operators.group", "Whoever is in one of these groups.", "mcp-admins", "nobody"},
    {"approval.sign_in.name", "What the names of people begin with, `NAME/SUBJECT`, as in `client_auth`.",
     "gateway", "as the entry of `client_auth` with the same issuer has it, else the issuer's host"},
    {"approval.sign_in.principal", "The claim that names a person.", "email", "as there, else `sub`"},
    {"approval.sign_in.groups", "The claim that holds the groups; a dot goes into an object.",
     "realm_access.roles", "as there, else `groups`"},
    {"approval.sign_in.scopes", "Scopes that are asked for, beside `openid`.", "[profile, email, groups]",
     "`[profile, email]`"},
    {"approval.sign_in.idle", "A session at the page that is not used ends after so long.", "30m"},
    {"approval.sign_in.lifetime", "Every session at the page ends after so long.", "8h"},
    {"identity_providers.NAME.logout", "What it tells of people who sign out there."},
    {"identity_providers.NAME.logout.back_channel",
     "Takes its logout tokens (OpenID Connect Back-Channel Logout) at "
     "`PUBLIC_URL/oauth/backchannel-logout/NAME`: they end the identity.",
     "true"},
    {"identity_providers.NAME.signals",
     "Security events (SSF, CAEP): a session revoked, a credential changed, claims that hold no more.", "",
     "none"},
    {"identity_providers.NAME.signals.delivery",
     "`push`: they come to `PUBLIC_URL/oauth/signals/NAME` (RFC 8935). `poll`: they are fetched (RFC 8936).",
     "poll"},
    {"identity_providers.NAME.signals.endpoint", "Where they are fetched.",
     "https://idp.acme.example/ssf/poll"},
    {"identity_providers.NAME.signals.token",
     "The bearer token that the transmitter presents to us (push), or we to it (poll).",
     "{file: transmitter.token}"},
    {"identity_providers.NAME.signals.issuer", "The exact `iss` of the events.", "https://ssf.acme.example",
     "the provider's issuer"},
    {"identity_providers.NAME.signals.audience", "`aud` of an event holds one of these.",
     "https://mcp.acme.example/signals", "the provider's `client.id`"},
    {"identity_providers.NAME.signals.jwks_uri", "The keys that events are signed with.",
     "https://ssf.acme.example/keys", "what the issuer's metadata names"},
    {"upstreams.NAME.login_hint", "Who is to sign in, as the authorization server calls them.",
     "ada@acme.example"},
    {"upstreams.NAME.accounts",
     "Several accounts at one server, each with a credential of its own: at `PATH@ACCOUNT`, called "
     "`NAME@ACCOUNT` everywhere; `PATH` alone is the first one. Each has the upstream's keys where it has "
     "none.",
     "", "one, without a name"},
    {"upstreams.NAME.accounts.NAME.login_hint", "Who is to sign in, as the authorization server calls them.",
     "ada@acme.example"},
    {"upstreams.NAME.accounts.NAME.client", "Our client at its authorization server."},
    {"upstreams.NAME.accounts.NAME.scopes", "The scopes that are asked for.", "[repo]"},
    {"upstreams.NAME.accounts.NAME.resource", "As for the upstream.", "omit"},
    {"upstreams.NAME.accounts.NAME.token", "Of `grant: static`.", "{file: work.token}"},
    {"upstreams.NAME.accounts.NAME.login", "How a person signs in.", "device"},
    {"upstreams.NAME.accounts.NAME.headers", "Header fields that every request gets.", "{X-Org: acme}",
     "the upstream's"},
    {"upstreams.NAME.accounts.NAME.authorize_params", "Added to the authorization URL.", "{hd: acme.example}",
     "the upstream's"},
};

} // namespace

std::span<const key_words> words_of_identity() {
    return identity_rows;
}

} // namespace reauth
