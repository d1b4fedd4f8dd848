// The checks, in their order; the first that fails says its word.
#include "core/oauth/caller_token.hpp"

#include "core/crypto/jose.hpp"
#include "core/json/json_fields.hpp"
#include "core/oauth/claims.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>

namespace reauth {
namespace {

using json = nlohmann::json;

/// RFC 8725 section 3.11: what is of another kind is never taken for a caller's, whoever signed it.
bool of_another_kind(const json& header, const json& claims) {
    auto typ = ascii_lower(json_string(header, "typ"));
    if (typ.starts_with("application/"))
        typ.erase(0, 12);
    if (!typ.empty() && typ != "jwt" && typ != "at+jwt")
        return true;
    if (header.contains("typ") && typ.empty())
        return true;
    const auto own = ascii_lower(json_string(claims, "typ")); // as Keycloak writes it
    return claims.contains("events") || own == "refresh" || own == "offline" || own == "logout";
}

bool is_id_token(const json& header, const json& claims) {
    if (ascii_lower(json_string(header, "typ")).ends_with("at+jwt"))
        return false;
    const auto own = ascii_lower(json_string(claims, "typ")); // as Keycloak writes it
    if (own == "id" || json_string(claims, "token_use") == "id")
        return true;
    if (own == "bearer")
        return false;
    const bool of_access = claims.contains("scope") || claims.contains("scp") ||
                           claims.contains("client_id") || claims.contains("cid") || claims.contains("gty");
    return !of_access && (claims.contains("nonce") || claims.contains("at_hash") ||
                          claims.contains("auth_time") || claims.contains("azp"));
}

/// Byte for byte, but for the slash that ends an origin and that URL parsers add (RFC 3986 section 6.2.3).
bool same_audience(std::string_view a, std::string_view b) {
    if (a == b)
        return true;
    const auto& longer = a.size() > b.size() ? a : b;
    const auto& shorter = a.size() > b.size() ? b : a;
    const auto host = shorter.find("://");
    return host != shorter.npos && shorter.find('/', host + 3) == shorter.npos &&
           longer.size() == shorter.size() + 1 && longer.ends_with('/') && longer.starts_with(shorter);
}

std::optional<token_fault> check_times(const json& claims, const caller_expectation& expected,
                                       caller_claims& out) {
    const auto expiry = json_time(claims, "exp");
    if (!expiry || *expiry + expected.leeway <= expected.now)
        return token_fault::expired;
    out.expires_at = *expiry;
    for (const auto* name : {"nbf", "iat"})
        if (const auto from = json_time(claims, name); from && *from > expected.now + expected.leeway)
            return token_fault::early;
    return {};
}

bool has_scopes(const json& claims, const scope_set& wanted) {
    if (wanted.empty())
        return true;
    scope_set held = scope_set::parse(json_string(claims, "scope"));
    for (const auto& one : json_strings(claims, "scp").value_or(std::vector<std::string>{}))
        held = held.united_with(scope_set::parse(one));
    return held.covers(wanted);
}

token_fault fault_of(jwt_fault f) noexcept {
    switch (f) {
    case jwt_fault::algorithm:
        return token_fault::algorithm;
    case jwt_fault::keys:
        return token_fault::keys;
    case jwt_fault::no_key:
        return token_fault::key;
    case jwt_fault::signature:
        return token_fault::signature;
    case jwt_fault::malformed:
    case jwt_fault::critical:
        break;
    }
    return token_fault::malformed;
}

/// Nothing: it is good.
std::optional<token_fault> check_claims(const json& claims, const caller_expectation& expected,
                                        caller_claims& out) {
    if (json_string(claims, "iss") != expected.issuer)
        return token_fault::issuer;
    const auto audience = json_strings(claims, "aud").value_or(std::vector<std::string>{});
    const bool for_us = std::any_of(audience.begin(), audience.end(), [&](const auto& a) {
        return std::any_of(expected.audience.begin(), expected.audience.end(),
                           [&](const auto& ours) { return same_audience(a, ours); });
    });
    if (!for_us)
        return token_fault::audience;
    if (const auto wrong = check_times(claims, expected, out))
        return wrong;
    out.subject = name_claimed(claims, expected.principal);
    if (out.subject.empty())
        return token_fault::principal;
    out.groups = groups_claimed(claims, expected.groups);
    out.issued_at = json_time(claims, "iat");
    out.sub = json_string(claims, "sub");
    out.sid = json_string(claims, "sid");
    if (!has_scopes(claims, expected.scopes))
        return token_fault::scope;
    return {};
}

} // namespace

std::string_view to_string(token_fault f) noexcept {
    constexpr std::string_view words[] = {"malformed", "type",   "algorithm", "key",     "keys",
                                          "signature", "issuer", "audience",  "expired", "early",
                                          "principal", "ended",  "scope"};
    return words[static_cast<std::size_t>(f)];
}

checked_caller check_caller_token(std::string_view token, std::string_view jwks,
                                  const caller_expectation& expected) {
    checked_caller out;
    if (token.size() > longest_caller_token) {
        out.why = token_fault::malformed;
        return out;
    }
    const auto header = decode_jwt_header(token);
    const auto unverified = decode_jwt_claims(token);
    if (!header || !unverified) {
        out.why = token_fault::malformed;
        return out;
    }
    if (of_another_kind(*header, *unverified)) {
        out.why = token_fault::type;
        return out;
    }
    jwt_fault wrong{};
    const auto claims = verified_claims(token, jwks, expected.algorithms, wrong);
    if (!claims) {
        out.why = fault_of(wrong);
        return out;
    }
    out.claims.id_token = is_id_token(*header, *claims);
    out.why = check_claims(*claims, expected, out.claims);
    return out;
}

std::string issuer_claimed_by(std::string_view token) {
    const auto claims = token.size() <= longest_caller_token
                            ? decode_jwt_claims(token)
                            : result<json>(failure::permanent(fault::reauth_failed, "too long"));
    return claims ? json_string(*claims, "iss") : std::string();
}

} // namespace reauth
