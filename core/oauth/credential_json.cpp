// Credentials in the vault.
#include "core/oauth/credential_json.hpp"

#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"

namespace reauth {

namespace {

using json = nlohmann::json;

std::int64_t milliseconds_of(time_point t) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

scope_set scopes_of(const json& document, const char* name) {
    scope_set out;
    for (const auto& token : json_strings(document, name).value_or(std::vector<std::string>{}))
        out.add(token);
    return out;
}

} // namespace

secret credential_to_json(const credential& value) {
    json out = {{"access_token", value.access_token.reveal()},
                {"token_type", value.token_type},
                {"refresh_token", value.refresh_token.reveal()},
                {"requested", value.requested.tokens()},
                {"granted", value.granted.tokens()},
                {"issuer", value.issuer},
                {"resource", value.resource},
                {"origin", value.origin},
                {"headers", value.headers},
                {"subject", value.subject},
                {"account", value.account},
                {"client_id", value.client_id},
                {"obtained_at", milliseconds_of(value.obtained_at)},
                {"dpop_key", value.dpop_key.reveal()},
                {"generation", value.generation}};
    if (value.expires_at)
        out["expires_at"] = milliseconds_of(*value.expires_at);
    if (value.found)
        out["found"] = known_server_to_json(*value.found);
    if (value.refresh_with_scope)
        out["refresh_with_scope"] = *value.refresh_with_scope;
    return secret{json_text(out)};
}

result<credential> credential_from_json(const secret& text) {
    const auto document = parse_json_object(text.reveal());
    const auto obtained = document ? json_time(*document, "obtained_at", 1000) : std::nullopt;
    if (!obtained || json_string(*document, "access_token").empty())
        return failure::permanent(fault::vault_unavailable, "a stored credential cannot be read",
                                  "log out of the upstream and log in again");
    credential out;
    out.access_token = secret{json_string(*document, "access_token")};
    out.token_type = json_string(*document, "token_type");
    out.refresh_token = secret{json_string(*document, "refresh_token")};
    out.requested = scopes_of(*document, "requested");
    out.granted = scopes_of(*document, "granted");
    out.issuer = json_string(*document, "issuer");
    out.resource = json_string(*document, "resource");
    out.origin = json_string(*document, "origin");
    out.headers = json_string(*document, "headers");
    out.subject = json_string(*document, "subject");
    out.account = json_string(*document, "account");
    out.client_id = json_string(*document, "client_id");
    out.obtained_at = *obtained;
    out.expires_at = json_time(*document, "expires_at", 1000);
    out.dpop_key = secret{json_string(*document, "dpop_key")};
    if (const auto found = document->find("found"); found != document->end())
        if (auto known = known_server_from_json(*found))
            out.found = std::make_shared<const known_server>(std::move(*known));
    if (document->contains("refresh_with_scope"))
        out.refresh_with_scope = json_bool(*document, "refresh_with_scope");
    out.generation = static_cast<std::uint64_t>(json_integer(*document, "generation").value_or(0));
    return out;
}

} // namespace reauth
