// Written to and read from JSON for the vault.
#include "policy/flows/pending_authorization.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/oauth/metadata_json.hpp"
#include "core/text/encoding.hpp"

#include <nlohmann/json.hpp>

namespace reauth {
namespace {

using nlohmann::json;

failure unreadable_flow() {
    return failure::permanent(fault::vault_unavailable, "a stored authorization in progress cannot be read",
                              "start the login again");
}

pending_authorization read(const json& in) {
    pending_authorization p;
    const auto kind = in.at("kind").get<std::string>();
    p.kind = kind == "idp_login" ? authorization_kind::idp_login
             : kind == "page"    ? authorization_kind::page
                                 : authorization_kind::login;
    p.approval_id = in.at("approval_id").get<std::string>();
    p.upstream = in.at("upstream").get<std::string>();
    p.principal = in.at("principal").get<std::string>();
    p.identity_provider = in.at("identity_provider").get<std::string>();
    p.state = secret(in.at("state").get<std::string>());
    p.verifier = secret(in.at("verifier").get<std::string>());
    p.nonce = in.at("nonce").get<std::string>();
    p.server = server_from_json(in.at("server"));
    p.redirect_uri = in.at("redirect_uri").get<std::string>();
    p.resource = in.at("resource").get<std::string>();
    p.scopes = scope_set::parse(in.at("scopes").get<std::string>());
    p.dpop_key = secret(in.at("dpop_key").get<std::string>());
    p.browser_binding_hash = in.at("browser_binding_hash").get<std::string>();
    p.location = in.at("location").get<std::string>();
    p.created_at = time_stored(in.at("created_at"));
    p.expires_at = time_stored(in.at("expires_at"));
    p.acr_values = in.value("acr_values", std::string());
    if (const auto age = json_integer(in, "max_age"))
        p.max_age = std::chrono::seconds(*age);
    if (in.contains("device_code")) {
        p.device_code = secret(in.at("device_code").get<std::string>());
        p.user_code = in.at("user_code").get<std::string>();
        p.verification_uri = in.at("verification_uri").get<std::string>();
        p.interval = std::chrono::seconds(in.at("interval").get<std::int64_t>());
    }
    return p;
}

} // namespace

secret pending_to_json(const pending_authorization& p) {
    json out{{"kind", p.kind == authorization_kind::idp_login ? "idp_login"
                      : p.kind == authorization_kind::page    ? "page"
                                                              : "login"},
             {"approval_id", p.approval_id},
             {"upstream", p.upstream},
             {"principal", p.principal},
             {"identity_provider", p.identity_provider},
             {"state", p.state.reveal()},
             {"verifier", p.verifier.reveal()},
             {"nonce", p.nonce},
             {"redirect_uri", p.redirect_uri},
             {"resource", p.resource},
             {"scopes", p.scopes.to_string()},
             {"dpop_key", p.dpop_key.reveal()},
             {"browser_binding_hash", p.browser_binding_hash},
             {"location", p.location},
             {"created_at", stored_time(p.created_at)},
             {"expires_at", stored_time(p.expires_at)}};
    if (!p.acr_values.empty())
        out["acr_values"] = p.acr_values;
    if (p.max_age)
        out["max_age"] = p.max_age->count();
    if (p.by_device()) {
        out["device_code"] = p.device_code.reveal();
        out["user_code"] = p.user_code;
        out["verification_uri"] = p.verification_uri;
        out["interval"] = p.interval.count();
    }
    out["server"] = server_to_json(p.server);
    out["client"] = std::string(registered_client_to_json(p.client).reveal());
    return secret(json_text(out));
}

result<pending_authorization> pending_from_json(const secret& text) {
    const auto in = read_json(text.reveal()).value_or(json());
    if (!in.is_object())
        return unreadable_flow();
    try {
        auto pending = read(in);
        auto client = registered_client_from_json(secret(in.at("client").get<std::string>()));
        if (!client)
            return client.error();
        pending.client = std::move(*client);
        return pending;
    } catch (const json::exception&) {
        return unreadable_flow();
    }
}

std::string pending_key(std::string_view state) {
    return base64url_encode(sha256(state));
}

result<void> check_pending(const pending_authorization& pending,
                           const std::optional<std::string>& browser_binding, time_point now) {
    failure f;
    if (pending.expired_at(now)) {
        f.code = fault::approval_timeout;
        f.message = "this login took too long";
        f.fix = "start it again from the approval page";
        return f;
    }
    if (pending.browser_binding_hash.empty())
        return {};
    const secret hash(browser_binding ? pending_key(*browser_binding) : std::string());
    if (hash.equals(pending.browser_binding_hash))
        return {};
    f.code = fault::reauth_failed;
    f.message = "this login was started in another browser, so it cannot be finished here";
    f.fix = "start it again from the approval page in this browser";
    return f;
}

} // namespace reauth
