// The demo's organisation: ID tokens and the token exchange for ID-JAGs on top of the demo's authorization
// server.
#include "proxy/demo/identity_provider.hpp"

#include "core/crypto/jose.hpp"
#include "core/json/json_reader.hpp"
#include "proxy/demo/authorization_state.hpp"

#include <mutex>
#include <set>

namespace reauth {

using nlohmann::json;

namespace {

constexpr auto token_exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr auto type_id_jag = "urn:ietf:params:oauth:token-type:id-jag";
constexpr auto type_id_token = "urn:ietf:params:oauth:token-type:id_token";
constexpr auto type_refresh_token = "urn:ietf:params:oauth:token-type:refresh_token";

std::string text_in(const json& claims, const char* name) {
    const auto found = claims.find(name);
    return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

failure refused_login(const std::string& why) {
    return failure::permanent(fault::reauth_failed, why).with_oauth_error("invalid_grant");
}

} // namespace

struct demo_identity_provider::state {
    explicit state(demo_idp_options o) : options(std::move(o)), key(generate_ec_jwk().value()) {}

    demo_idp_options options;
    secret key;
    std::unique_ptr<demo_authorization_server> server;

    mutable std::mutex mutex; ///< guards everything below
    std::string error, description;
    std::uint64_t exchanges = 0;
    std::set<std::string> spent; ///< jti of ID-JAGs that were redeemed

    std::int64_t now() const {
        return std::chrono::duration_cast<std::chrono::seconds>(options.clock().time_since_epoch()).count();
    }
    json jwks() const {
        json key_document = public_jwk(key).value();
        key_document["kid"] = "demo-1";
        key_document["use"] = "sig";
        key_document["alg"] = "ES256";
        return {{"keys", {key_document}}};
    }
    std::string sign(const char* type, json claims, std::chrono::seconds lifetime) const {
        claims["iss"] = server->issuer();
        claims["iat"] = now();
        claims["exp"] = now() + lifetime.count();
        return sign_jwt(key, "ES256", {{"typ", type}, {"kid", "demo-1"}}, claims).value();
    }
    std::string id_token(const std::string& client, const std::string& subject,
                         const std::string& nonce) const {
        json claims{{"sub", subject}, {"aud", client}, {"email", subject + "@acme.example"}};
        if (!nonce.empty())
            claims["nonce"] = nonce;
        if (!options.acr.empty())
            claims["acr"] = options.acr;
        return sign("JWT", std::move(claims), options.id_token_lifetime);
    }
    /// Claims of a JWT that we signed and that has not expired.
    result<json> own_claims(std::string_view jwt) const {
        auto claims = verify_jwt(jwt, json_text(jwks()), {"ES256"});
        if (claims &&
            (text_in(*claims, "iss") != server->issuer() || claims->value("exp", std::int64_t{0}) <= now()))
            return refused_login("The token is expired or not from this issuer.");
        return claims;
    }
    service_response exchange(const demo_client& client, const std::map<std::string, std::string>& form,
                              const demo_session_lookup& session_of);
};

service_response demo_identity_provider::state::exchange(const demo_client& client,
                                                         const std::map<std::string, std::string>& form,
                                                         const demo_session_lookup& session_of) {
    const std::lock_guard lock(mutex);
    if (!error.empty())
        return demo_oauth_error(400, error, description);
    if (demo_field(form, "requested_token_type") != type_id_jag)
        return demo_oauth_error(400, "invalid_request", "Only ID-JAGs are exchanged for here.");
    std::string subject;
    const std::string kind = demo_field(form, "subject_token_type"),
                      shown = demo_field(form, "subject_token");
    if (kind == type_id_token) {
        const auto claims = own_claims(shown);
        if (claims && text_in(*claims, "aud") == client.id)
            subject = text_in(*claims, "sub");
    } else if (kind == type_refresh_token) {
        if (const auto session = session_of(shown))
            subject = session->subject;
    }
    if (subject.empty())
        return demo_oauth_error(400, "invalid_grant", "The subject token is expired, foreign or unknown.");
    const std::string audience = demo_field(form, "audience");
    const std::string client_there = options.client_at ? options.client_at(client.id, audience) : "";
    if (client_there.empty())
        return demo_oauth_error(400, "invalid_target", "Acme does not allow this application to go there.");
    scope_set scopes;
    for (const auto& scope : scope_set::parse(demo_field(form, "scope")))
        if (!options.allowed_scopes || options.allowed_scopes->contains(scope))
            scopes.add(scope);
    ++exchanges;
    json claims{{"jti", demo_random(16)}, {"sub", subject}, {"aud", audience}, {"client_id", client_there}};
    if (!scopes.empty())
        claims["scope"] = scopes.to_string();
    if (const auto resource = demo_field(form, "resource"); !resource.empty())
        claims["resource"] = resource;
    return demo_json(200,
                     {{"access_token", sign("oauth-id-jag+jwt", std::move(claims), options.id_jag_lifetime)},
                      {"issued_token_type", type_id_jag},
                      {"token_type", "N_A"},
                      {"scope", scopes.to_string()},
                      {"expires_in", options.id_jag_lifetime.count()}});
}

demo_identity_provider::demo_identity_provider(executor ex, demo_idp_options options)
    : state_(std::make_shared<state>(std::move(options))) {
    // the server belongs to the state and dies with it, so a plain pointer outlives every call
    state* const s = state_.get();
    demo_authorization_options provider;
    provider.scopes_supported = {"openid", "offline_access", "email"};
    provider.default_scopes = {"openid"};
    provider.access_lifetime = std::chrono::minutes(10);
    provider.auto_approve = s->options.auto_approve;
    provider.subject = s->options.subject;
    provider.clock = s->options.clock;
    provider.openid = true;
    provider.documents["/jwks"] = [s] { return s->jwks(); };
    provider.complete_metadata = [s](json& document) {
        document["jwks_uri"] = s->server->issuer() + "/jwks";
        document["subject_types_supported"] = {"public"};
        document["id_token_signing_alg_values_supported"] = {"ES256"};
        document["identity_chaining_requested_token_types_supported"] = {type_id_jag};
    };
    provider.complete_token = [s](const demo_authority& authority, json& answer) {
        if (authority.scopes.contains("openid"))
            answer["id_token"] = s->id_token(authority.client_id, authority.subject, authority.nonce);
    };
    provider.more_grants[token_exchange] =
        [s](const demo_client& client, const std::map<std::string, std::string>& form,
            const demo_session_lookup& session_of) { return s->exchange(client, form, session_of); };
    s->server = std::make_unique<demo_authorization_server>(ex, std::move(provider));
}

demo_identity_provider::~demo_identity_provider() {
    stop();
}
result<std::string> demo_identity_provider::start(std::uint16_t port) {
    return state_->server->start(port);
}
void demo_identity_provider::stop() {
    state_->server->stop();
}
const std::string& demo_identity_provider::issuer() const {
    return state_->server->issuer();
}
demo_authorization_server& demo_identity_provider::server() {
    return *state_->server;
}

result<demo_authority> demo_identity_provider::check_id_jag(std::string_view assertion,
                                                            const std::string& audience) {
    const auto header = decode_jwt_header(assertion);
    const auto claims = state_->own_claims(assertion);
    if (!header || !claims)
        return refused_login("The ID-JAG is expired, or not signed by the organisation.");
    if (text_in(*header, "typ") != "oauth-id-jag+jwt")
        return refused_login("The assertion is no ID-JAG.");
    if (text_in(*claims, "aud") != audience)
        return refused_login("The ID-JAG was made for another authorization server.");
    const std::lock_guard lock(state_->mutex);
    if (!state_->spent.insert(text_in(*claims, "jti")).second)
        return refused_login("The ID-JAG was used before.");
    return demo_authority{text_in(*claims, "client_id"), text_in(*claims, "sub"),
                          text_in(*claims, "resource"), scope_set::parse(text_in(*claims, "scope")), ""};
}

std::string demo_identity_provider::issue_id_token(const std::string& client_id) const {
    return state_->id_token(client_id, state_->options.subject, "");
}

void demo_identity_provider::refuse_exchanges(std::string error, std::string description) {
    const std::lock_guard lock(state_->mutex);
    state_->error = std::move(error);
    state_->description = std::move(description);
}

std::uint64_t demo_identity_provider::exchanges() const {
    const std::lock_guard lock(state_->mutex);
    return state_->exchanges;
}

} // namespace reauth
