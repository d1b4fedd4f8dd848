// From a token answer to the credential that is stored.
#include "core/oauth/token.hpp"

#include "core/oauth/id_token.hpp"
#include "core/text/display_text.hpp"

namespace reauth {

namespace {

// GitHub separates granted scopes with commas, which are legal inside one scope token.
scope_set granted_scopes(const scope_set& said, const scope_set& requested) {
    scope_set out;
    for (const auto& token : said) {
        if (token.find(',') == std::string::npos || requested.contains(token)) {
            out.add(token);
            continue;
        }
        for (std::string_view rest = token; !rest.empty();) {
            const auto end = rest.find(',');
            out.add(rest.substr(0, end));
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        }
    }
    return out;
}

} // namespace

result<credential> make_credential(const token_response& response, const credential_context& context,
                                   const credential* previous) {
    const bool dpop = response.token_type == "DPoP";
    if (!dpop && response.token_type != "Bearer")
        return failure::permanent(
            fault::reauth_failed,
            "the token endpoint issued a token of type " + clean_text(response.token_type, 64) +
                ", which cannot be used",
            "the authorization server must issue Bearer or DPoP tokens (RFC 6749 §7.1)");
    if (dpop && context.dpop_key.empty())
        return failure::permanent(fault::reauth_failed,
                                  "the token endpoint issued a DPoP token although no proof was sent",
                                  "set `dpop: require` for the upstream");
    const bool same_grant =
        previous && previous->issuer == context.issuer && previous->client_id == context.client_id;
    credential out;
    out.access_token = response.access_token;
    out.token_type = response.token_type;
    out.refresh_token = response.refresh_token;
    if (out.refresh_token.empty() && same_grant)
        out.refresh_token = previous->refresh_token;
    out.requested = context.requested;
    if (response.scope)
        out.granted = granted_scopes(*response.scope, context.requested);
    else if (same_grant && previous->requested == context.requested)
        out.granted = previous->granted;
    else
        out.granted = context.requested;
    if (same_grant) {
        out.subject = previous->subject;
        out.account = previous->account;
    }
    out.issuer = context.issuer;
    out.resource = context.resource;
    out.client_id = context.client_id;
    out.obtained_at = context.now;
    if (response.expires_in)
        out.expires_at = context.now + *response.expires_in;
    if (context.id_token_is_bearer) {
        const auto claims = peek_id_token(response.id_token);
        if (response.id_token.empty() || !claims)
            return failure::permanent(
                fault::reauth_failed,
                "the token endpoint issued no ID token that can be read, which `bearer: id_token` sends",
                "have `openid` among the scopes that the client may ask for, or set "
                "`bearer: access_token`");
        out.access_token = response.id_token;
        out.token_type = "Bearer";
        out.expires_at = claims->expires_at;
        out.subject = claims->subject;
    }
    if (dpop)
        out.dpop_key = context.dpop_key;
    if (previous && previous->issuer == context.issuer) {
        out.found = previous->found;
        out.refresh_with_scope = previous->refresh_with_scope;
    }
    out.generation = previous ? previous->generation + 1 : 1;
    return out;
}

} // namespace reauth
