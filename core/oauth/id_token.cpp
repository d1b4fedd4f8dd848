// ID token checks.
#include "core/oauth/id_token.hpp"

#include "core/crypto/jose.hpp"
#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"

#include <algorithm>

namespace reauth {

namespace {

using json = nlohmann::json;

failure refuse(std::string message, std::string fix = "log in at the identity provider again") {
    return failure::permanent(fault::reauth_failed, "the ID token is refused: " + std::move(message),
                              std::move(fix));
}

result<id_token_claims> read_claims(const json& claims) {
    id_token_claims out;
    out.issuer = json_string(claims, "iss");
    out.subject = json_string(claims, "sub");
    out.email = json_string(claims, "email");
    out.session = json_string(claims, "sid");
    out.preferred = json_string(claims, "preferred_username");
    if (out.preferred.empty())
        out.preferred = json_string(claims, "name");
    out.issued_at = json_time(claims, "iat");
    const auto expiry = json_time(claims, "exp");
    if (!expiry)
        return refuse("it has no usable `exp`");
    out.expires_at = *expiry;
    return out;
}

result<void> check_audience(const json& claims, const std::string& client_id) {
    const auto audience = json_strings(claims, "aud").value_or(std::vector<std::string>{});
    if (std::find(audience.begin(), audience.end(), client_id) == audience.end())
        return refuse("it is for another client than " + clean_text(client_id),
                      "set `client.id` of the identity provider to the client that the token was issued to");
    const auto party = json_string(claims, "azp");
    if (party.empty() && audience.size() > 1)
        return refuse("it has several audiences and no `azp`");
    if (!party.empty() && party != client_id)
        return refuse("its `azp` is " + clean_text(party) + ", not " + clean_text(client_id),
                      "set `client.id` of the identity provider to the client that the token was issued to");
    return {};
}

} // namespace

result<id_token_claims> check_id_token(const secret& id_token, std::string_view jwks,
                                       const id_token_expectation& expected) {
    const auto claims = verify_jwt(id_token.reveal(), jwks, expected.algorithms);
    if (!claims)
        return refuse(claims.error().message);
    auto out = read_claims(*claims);
    if (!out)
        return out;
    if (out->issuer != expected.issuer)
        return refuse("it comes from " + clean_text(out->issuer) + ", not from " +
                          clean_text(expected.issuer),
                      "set `issuer` of the identity provider to exactly what its tokens say");
    if (out->subject.empty())
        return refuse("it has no `sub`");
    if (auto audience = check_audience(*claims, expected.client_id); !audience)
        return audience.error();
    if (out->expires_at + expected.skew <= expected.now)
        return refuse("it has expired");
    if (out->issued_at && *out->issued_at > expected.now + expected.skew)
        return refuse("it was issued in the future", "set this machine's clock right");
    if (!expected.nonce.empty() && json_string(*claims, "nonce") != expected.nonce)
        return refuse("its `nonce` belongs to another login");
    return out;
}

result<id_token_claims> peek_id_token(const secret& id_token) {
    const auto claims = decode_jwt_claims(id_token.reveal());
    if (!claims)
        return refuse(claims.error().message);
    return read_claims(*claims);
}

} // namespace reauth
