// The checks, in their order; then what the events mean.
#include "core/oauth/security_event.hpp"

#include "core/crypto/jose.hpp"
#include "core/json/json_fields.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>

namespace reauth {
namespace {

using json = nlohmann::json;

constexpr std::size_t longest_value = 255;
/// Times are whole seconds: what began in that very one began before.
constexpr std::chrono::milliseconds rest_of_second{999};
constexpr std::string_view logout_event = "http://schemas.openid.net/event/backchannel-logout";
constexpr std::string_view caep = "https://schemas.openid.net/secevent/caep/event-type/";
constexpr std::string_view ssf = "https://schemas.openid.net/secevent/ssf/event-type/";
constexpr std::string_view risc = "https://schemas.openid.net/secevent/risc/event-type/";

event_fault fault_of_event(jwt_fault f) noexcept {
    switch (f) {
    case jwt_fault::algorithm:
        return event_fault::algorithm;
    case jwt_fault::keys:
        return event_fault::keys;
    case jwt_fault::no_key:
        return event_fault::key;
    case jwt_fault::signature:
        return event_fault::signature;
    case jwt_fault::malformed:
    case jwt_fault::critical:
        break;
    }
    return event_fault::malformed;
}

std::string type_of(const json& header) {
    auto typ = ascii_lower(json_string(header, "typ"));
    if (typ.starts_with("application/"))
        typ.erase(0, 12);
    return header.contains("typ") && typ.empty() ? "?" : typ;
}

/// A text that can stand for somebody; empty: it can't.
std::string short_text(const json& object, const char* name) {
    auto text = json_string(object, name);
    return text.size() > longest_value ? std::string() : text;
}

std::optional<event_fault> check_times(const json& claims, const event_expectation& expected,
                                       identity_event& out) {
    const auto issued = json_time(claims, "iat");
    if (!issued)
        return event_fault::claims;
    if (*issued > expected.now + expected.leeway)
        return event_fault::early;
    if (*issued + oldest_security_event <= expected.now)
        return event_fault::expired;
    if (claims.contains("exp")) {
        const auto end = json_time(claims, "exp");
        if (!end || *end + expected.leeway <= expected.now)
            return event_fault::expired;
    }
    out.at = *issued + rest_of_second;
    return {};
}

/// What both kinds have in common.
std::optional<event_fault> check_common(const json& claims, const event_expectation& expected,
                                        identity_event& out) {
    if (json_string(claims, "iss") != expected.issuer)
        return event_fault::issuer;
    const auto audience = json_strings(claims, "aud").value_or(std::vector<std::string>{});
    const bool for_us = std::any_of(audience.begin(), audience.end(), [&](const auto& a) {
        return std::find(expected.audience.begin(), expected.audience.end(), a) != expected.audience.end();
    });
    if (!for_us)
        return event_fault::audience;
    if (const auto wrong = check_times(claims, expected, out))
        return wrong;
    out.id = short_text(claims, "jti");
    const auto events = claims.find("events");
    const bool any = events != claims.end() && events->is_object() && !events->empty();
    return out.id.empty() || !any ? std::optional(event_fault::claims) : std::nullopt;
}

/// Verified claims of a token whose type is one of these; nothing: `out.why` says why.
std::optional<json> verified_event(std::string_view token, std::string_view jwks,
                                   const event_expectation& expected,
                                   std::initializer_list<std::string_view> types, checked_event& out) {
    const auto header = token.size() > longest_security_event
                            ? result<json>(failure::permanent(fault::reauth_failed, "too long"))
                            : decode_jwt_header(token);
    if (!header || !header->is_object()) {
        out.why = event_fault::malformed;
        return std::nullopt;
    }
    if (std::find(types.begin(), types.end(), type_of(*header)) == types.end()) {
        out.why = event_fault::type;
        return std::nullopt;
    }
    jwt_fault wrong{};
    auto claims = verified_claims(token, jwks, expected.algorithms, wrong);
    if (!claims)
        out.why = fault_of_event(wrong);
    else if (!claims->is_object())
        out.why = event_fault::malformed;
    else
        out.why = check_common(*claims, expected, out.event);
    return out.why ? std::nullopt : std::move(claims);
}

// Whom an event is about: RFC 9493, and what SSF 1.0 section 3 makes of it.

void take_simple(const json& one, event_subject& into) {
    const auto format = json_string(one, "format");
    if (format == "iss_sub") {
        into.issuer = short_text(one, "iss");
        into.subject = short_text(one, "sub");
    } else if (format == "email") {
        into.email = short_text(one, "email");
    }
}

void take_subject(const json& one, std::vector<event_subject>& into, unsigned depth = 0) {
    constexpr std::size_t most = 16;
    if (!one.is_object() || into.size() >= most || depth > 1)
        return;
    event_subject found;
    const auto format = json_string(one, "format");
    if (format == "aliases") {
        if (const auto all = one.find("identifiers"); all != one.end() && all->is_array())
            for (const auto& alias : *all)
                take_subject(alias, into, depth + 1);
        return;
    }
    const auto user = one.find("user"), session = one.find("session");
    if (format == "complex" || (format.empty() && (user != one.end() || session != one.end()))) {
        if (user != one.end() && user->is_object())
            take_simple(*user, found);
        if (session != one.end() && session->is_object())
            found.session = short_text(*session, "id"); // `opaque`: what the provider calls it, its `sid`
    } else {
        take_simple(one, found);
    }
    if (found.known())
        into.push_back(std::move(found));
}

/// CAEP 1.0 section 3, RISC 1.0 section 2, SSF 1.0 section 7.
identity_change meaning_of(std::string_view uri, const json& event) {
    if (uri.starts_with(caep)) {
        const auto name = uri.substr(caep.size());
        if (name == "session-revoked")
            return identity_change::ended;
        if (name == "credential-change") // one more of them takes nothing from anybody
            return json_string(event, "change_type") == "create" ? identity_change::none
                                                                 : identity_change::ended;
        if (name == "token-claims-change")
            return identity_change::renewed;
        if (name == "assurance-level-change")
            return json_string(event, "change_direction") == "increase" ? identity_change::none
                                                                        : identity_change::renewed;
    }
    if (uri.starts_with(risc)) {
        const auto name = uri.substr(risc.size());
        if (name == "account-disabled" || name == "account-purged" || name == "sessions-revoked" ||
            name == "account-credential-change-required")
            return identity_change::ended;
    }
    if (uri.starts_with(ssf))
        return uri.substr(ssf.size()) == "verification"     ? identity_change::check
               : uri.substr(ssf.size()) == "stream-updated" ? identity_change::stream
                                                            : identity_change::none;
    return identity_change::none;
}

/// The last part of an event's name, for the audit.
std::string short_name(std::string_view uri) {
    const auto slash = uri.rfind('/');
    auto name = std::string(slash == uri.npos ? uri : uri.substr(slash + 1));
    name.resize(std::min<std::size_t>(name.size(), 64));
    return name;
}

void read_event(const std::string& uri, const json& event, identity_event& out) {
    const auto change = meaning_of(uri, event);
    const auto when = json_time(event, "event_timestamp");
    if (when && *when + rest_of_second < out.at) // what comes later than its telling is no time
        out.at = *when + rest_of_second;
    take_subject(event.value("subject", json()), out.about); // as drafts before SSF 1.0 had it
    if (!out.what.empty() && change <= out.change)
        return;
    out.change = change;
    out.what = change == identity_change::stream ? short_text(event, "status") : short_name(uri);
}

} // namespace

std::string_view to_string(event_fault f) noexcept {
    constexpr std::string_view words[] = {"malformed", "type",     "algorithm", "key",   "keys",  "signature",
                                          "issuer",    "audience", "expired",   "early", "claims"};
    return words[static_cast<std::size_t>(f)];
}

checked_event check_logout_token(std::string_view token, std::string_view jwks,
                                 const event_expectation& expected) {
    checked_event out;
    // providers of before the final text call theirs a JWT: the event tells them from all others
    const auto claims = verified_event(token, jwks, expected, {"logout+jwt", "jwt", ""}, out);
    if (!claims)
        return out;
    const auto event = claims->at("events").find(std::string(logout_event));
    event_subject about;
    about.subject = short_text(*claims, "sub");
    about.session = short_text(*claims, "sid");
    about.issuer = expected.issuer;
    if (event == claims->at("events").end() || !event->is_object() || claims->contains("nonce") ||
        !about.known()) {
        out.why = event_fault::claims;
        return out;
    }
    out.event.change = identity_change::ended;
    out.event.what = "back-channel logout";
    out.event.about.push_back(std::move(about));
    return out;
}

checked_event check_security_event(std::string_view token, std::string_view jwks,
                                   const event_expectation& expected) {
    checked_event out;
    const auto claims = verified_event(token, jwks, expected, {"secevent+jwt"}, out);
    if (!claims)
        return out;
    take_subject(claims->value("sub_id", json()), out.event.about);
    const auto& events = claims->at("events");
    for (const auto& [uri, event] : events.items())
        if (event.is_object())
            read_event(uri, event, out.event);
    if (out.event.change >= identity_change::renewed && out.event.about.empty())
        out.why = event_fault::claims;
    return out;
}

} // namespace reauth
