// The demo's authorization server: life cycle, routes, metadata, registration, revocation.
#include "proxy/demo/authorization_server.hpp"

#include "core/json/json_reader.hpp"
#include "proxy/demo/authorization_state.hpp"

namespace reauth {

using nlohmann::json;

service_response demo_oauth_error(unsigned status, const std::string& error, const std::string& description) {
    return demo_json(status, {{"error", error}, {"error_description", description}});
}

demo_authorization_server::demo_authorization_server(executor ex, demo_authorization_options options)
    : state_(std::make_shared<state>(ex, std::move(options))) {}

demo_authorization_server::~demo_authorization_server() {
    stop();
}

result<std::string> demo_authorization_server::start(std::uint16_t port) {
    service_options http;
    http.max_connections = 8192;
    // weak: the service is a member of the state
    const std::weak_ptr<state> weak = state_;
    state_->service = std::make_unique<http_service>(
        state_->ex, [weak](service_exchange& x) { return state::serve(weak.lock(), x); }, http);
    const auto bound = state_->service->listen("127.0.0.1", port);
    if (!bound)
        return bound.error();
    state_->origin = "http://127.0.0.1:" + std::to_string(*bound);
    state_->issuer = state_->origin + state_->options.issuer_path;
    return state_->issuer;
}

void demo_authorization_server::stop() {
    if (state_->service)
        state_->service->stop();
    state_->gate.open();
}

const std::string& demo_authorization_server::issuer() const {
    return state_->issuer;
}
demo_gate& demo_authorization_server::token_gate() {
    return state_->gate;
}

demo_token_state demo_authorization_server::inspect(std::string_view access_token) const {
    const std::lock_guard lock(state_->mutex);
    return state_->book.inspect(access_token, state_->options.clock());
}

bool demo_authorization_server::validate(std::string_view access_token, const scope_set& needed) const {
    const auto seen = inspect(access_token);
    return seen.active && seen.authority.scopes.covers(needed);
}

std::string demo_authorization_server::add_client(demo_client client) {
    const std::lock_guard lock(state_->mutex);
    if (client.id.empty())
        client.id = "demo-client-" + demo_random(9);
    const std::string id = client.id;
    state_->book.clients[id] = std::move(client);
    return id;
}

std::string demo_authorization_server::issue_access_token(demo_authority authority) {
    const std::lock_guard lock(state_->mutex);
    const scope_set scopes = authority.scopes;
    const std::string family = state_->book.open_family(std::move(authority));
    return state_->book.issue_access(family, scopes,
                                     state_->options.clock() + state_->options.access_lifetime);
}

void demo_authorization_server::set_faults(demo_authorization_faults faults) {
    const std::lock_guard lock(state_->mutex);
    state_->faults = std::move(faults);
}

demo_authorization_counters demo_authorization_server::counters() const {
    const std::lock_guard lock(state_->mutex);
    return state_->counters;
}

void demo_authorization_server::kill_access_tokens() {
    const std::lock_guard lock(state_->mutex);
    state_->book.kill_access_tokens();
}

void demo_authorization_server::kill_sessions() {
    const std::lock_guard lock(state_->mutex);
    state_->book.kill_families();
}

void demo_authorization_server::forget_clients() {
    const std::lock_guard lock(state_->mutex);
    state_->book.clients.clear();
}

task<void> demo_authorization_server::state::serve(std::shared_ptr<state> self, service_exchange& x) {
    if (!self)
        co_return;
    const service_request& request = x.request();
    const std::string& base = self->options.issuer_path;
    const bool get = request.method == "GET", post = request.method == "POST";
    service_response answer{404, {{"Content-Type", "text/plain"}}, "No such page.\n"};
    if (post && request.path == base + "/token") {
        co_await serve_token(self, x);
        co_return;
    }
    const auto document = request.path.starts_with(base)
                              ? self->options.documents.find(request.path.substr(base.size()))
                              : self->options.documents.end();
    if (get && (request.path == "/.well-known/oauth-authorization-server" + base ||
                (self->options.openid && request.path == base + "/.well-known/openid-configuration")))
        answer = self->metadata();
    else if (get && document != self->options.documents.end())
        answer = demo_json(200, document->second());
    else if (get && request.path == base + "/authorize")
        answer = self->authorize(request);
    else if (post && request.path == base + "/consent")
        answer = self->consent(request);
    else if (post && request.path == base + "/register")
        answer = self->register_client(request);
    else if (post && request.path == base + "/revoke")
        answer = self->revoke(request);
    co_await x.respond(std::move(answer));
}

service_response demo_authorization_server::state::metadata() {
    const std::lock_guard lock(mutex);
    ++counters.metadata_reads;
    json grants{"authorization_code", "refresh_token", "client_credentials"};
    json document{
        {"issuer", issuer},
        {"authorization_endpoint", issuer + "/authorize"},
        {"token_endpoint", issuer + "/token"},
        {"registration_endpoint", issuer + "/register"},
        {"revocation_endpoint", issuer + "/revoke"},
        {"response_types_supported", {"code"}},
        {"code_challenge_methods_supported", {"S256"}},
        {"token_endpoint_auth_methods_supported", {"none", "client_secret_basic", "client_secret_post"}},
        {"scopes_supported", options.scopes_supported.tokens()},
        {"authorization_response_iss_parameter_supported", true}};
    if (options.assertion_check) {
        grants.push_back("urn:ietf:params:oauth:grant-type:jwt-bearer");
        document["authorization_grant_profiles_supported"] = {"urn:ietf:params:oauth:grant-profile:id-jag"};
    }
    for (const auto& [grant_type, handler] : options.more_grants)
        grants.push_back(grant_type);
    document["grant_types_supported"] = grants;
    if (options.complete_metadata)
        options.complete_metadata(document);
    if (faults.patch_metadata)
        faults.patch_metadata(document);
    return demo_json(200, document);
}

service_response demo_authorization_server::state::register_client(const service_request& request) {
    const auto wanted = read_json(request.body).value_or(json());
    if (!wanted.is_object())
        return demo_oauth_error(400, "invalid_client_metadata", "The body is no JSON object.");
    demo_client client;
    try {
        client.name = wanted.value("client_name", "");
        client.redirect_uris = wanted.value("redirect_uris", std::vector<std::string>{});
        client.grant_types = wanted.value("grant_types", client.grant_types);
        client.auth_method = wanted.value("token_endpoint_auth_method", "client_secret_basic");
    } catch (const json::exception&) {
        return demo_oauth_error(400, "invalid_client_metadata", "A member has the wrong type.");
    }
    if (client.redirect_uris.empty() && client.may("authorization_code"))
        return demo_oauth_error(400, "invalid_redirect_uri", "redirect_uris is missing.");
    if (client.auth_method != "none" && client.auth_method != "client_secret_basic" &&
        client.auth_method != "client_secret_post")
        return demo_oauth_error(400, "invalid_client_metadata",
                                "This token_endpoint_auth_method is not supported.");
    const std::lock_guard lock(mutex);
    ++counters.registrations;
    client.id = "demo-client-" + demo_random(9);
    json answer = wanted;
    answer["client_id"] = client.id;
    answer["client_id_issued_at"] =
        std::chrono::duration_cast<std::chrono::seconds>(options.clock().time_since_epoch()).count();
    answer["token_endpoint_auth_method"] = client.auth_method;
    answer["grant_types"] = client.grant_types;
    if (client.auth_method != "none") {
        client.secret = demo_random();
        answer["client_secret"] = client.secret;
        answer["client_secret_expires_at"] = 0;
    }
    book.clients[client.id] = client;
    if (faults.patch_registration)
        faults.patch_registration(answer);
    return demo_json(201, answer);
}

service_response demo_authorization_server::state::revoke(const service_request& request) {
    const auto form = demo_fields(request.body);
    const std::lock_guard lock(mutex);
    const demo_client* client = authenticate(request, form);
    if (!client)
        return demo_oauth_error(401, "invalid_client", "The client is unknown or its authentication failed.");
    if (book.revoke(demo_field(form, "token"), client->id))
        ++counters.revocations;
    return {200, {}, ""}; // also for unknown tokens: RFC 7009 §2.2
}

} // namespace reauth
