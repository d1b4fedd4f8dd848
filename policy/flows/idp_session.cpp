// Written to and read from JSON for the vault; what its state allows.
#include "policy/flows/idp_session.hpp"

#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"

#include <nlohmann/json.hpp>

namespace reauth {
namespace {

using nlohmann::json;

failure unreadable_session() {
    return failure::permanent(fault::vault_unavailable,
                              "a stored session at the identity provider cannot be read",
                              "log in at the identity provider again");
}

failure bad_supplied_token(const std::string& identity_provider, const std::string& why) {
    return failure::permanent(
        fault::invalid_configuration,
        "the ID token that is configured for identity provider " + identity_provider + " " + why,
        "put a fresh ID token where identity_providers." + identity_provider + ".id_token points");
}

} // namespace

session_state state_of(const idp_session& session, time_point now, std::chrono::seconds margin) {
    if (!session.id_token.empty() && now + margin < session.expires_at)
        return session_state::ready;
    return session.refresh_token.empty() ? session_state::gone : session_state::renew_first;
}

credential credential_of(const idp_session& s) {
    credential c;
    c.access_token = s.id_token;
    c.token_type = "ID";
    c.refresh_token = s.refresh_token;
    c.requested = c.granted = {"openid", "offline_access"};
    c.issuer = s.issuer;
    c.subject = s.subject;
    c.client_id = s.client_id;
    c.obtained_at = s.obtained_at;
    c.expires_at = s.expires_at;
    c.generation = s.generation;
    return c;
}

idp_session session_of(const credential& c, std::string identity_provider) {
    idp_session s;
    s.identity_provider = std::move(identity_provider);
    s.issuer = c.issuer;
    s.subject = c.subject;
    s.client_id = c.client_id;
    s.id_token = c.access_token;
    s.refresh_token = c.refresh_token;
    s.obtained_at = c.obtained_at;
    s.expires_at = c.expires_at.value_or(time_point{});
    s.generation = c.generation;
    return s;
}

secret session_to_json(const idp_session& s) {
    const json out{{"identity_provider", s.identity_provider},
                   {"issuer", s.issuer},
                   {"subject", s.subject},
                   {"client_id", s.client_id},
                   {"id_token", s.id_token.reveal()},
                   {"refresh_token", s.refresh_token.reveal()},
                   {"obtained_at", stored_time(s.obtained_at)},
                   {"expires_at", stored_time(s.expires_at)},
                   {"generation", s.generation},
                   {"supplied", s.supplied}};
    return secret(json_text(out));
}

result<idp_session> session_from_json(const secret& text) {
    const auto in = read_json(text.reveal()).value_or(json());
    if (!in.is_object())
        return unreadable_session();
    try {
        idp_session s;
        s.identity_provider = in.at("identity_provider").get<std::string>();
        s.issuer = in.at("issuer").get<std::string>();
        s.subject = in.at("subject").get<std::string>();
        s.client_id = in.at("client_id").get<std::string>();
        s.id_token = secret(in.at("id_token").get<std::string>());
        s.refresh_token = secret(in.at("refresh_token").get<std::string>());
        s.obtained_at = time_stored(in.at("obtained_at"));
        s.expires_at = time_stored(in.at("expires_at"));
        s.supplied = in.at("supplied").get<bool>();
        s.generation = static_cast<std::uint64_t>(json_integer(in, "generation").value_or(0));
        return s;
    } catch (const json::exception&) {
        return unreadable_session();
    }
}

result<idp_session> session_from_id_token(std::string identity_provider, std::string client_id,
                                          secret id_token, time_point now) {
    auto claims = peek_id_token(id_token);
    if (!claims)
        return bad_supplied_token(identity_provider, "is no JWT");
    if (claims->expires_at <= now)
        return bad_supplied_token(identity_provider, "has expired");
    idp_session s;
    s.identity_provider = std::move(identity_provider);
    s.issuer = std::move(claims->issuer);
    s.subject = std::move(claims->subject);
    s.client_id = std::move(client_id);
    s.id_token = std::move(id_token);
    s.obtained_at = now;
    s.expires_at = claims->expires_at;
    s.supplied = true;
    return s;
}

} // namespace reauth
