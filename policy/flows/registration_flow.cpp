// The choice of client, and dynamic registration (RFC 7591) where nothing better is there.
#include "policy/flows/registration_flow.hpp"

#include "core/oauth/device.hpp"
#include "policy/flows/token_flow.hpp"

namespace reauth {

result<registered_client> configured_client(const authorization_server& server, const client_settings& c) {
    auto method = choose_client_auth(server, c.auth, !c.client_secret.empty(), !c.private_key.empty());
    if (!method)
        return method.error();
    registered_client client;
    client.identity.id = c.id;
    client.identity.method = *method;
    client.identity.client_secret = c.client_secret;
    client.identity.private_key = c.private_key;
    client.identity.alg = c.alg;
    client.origin = client_origin::pre_registered;
    client.issuer = server.issuer;
    return client;
}

namespace {

result<registered_client> preregistered(const authorization_server& server,
                                        const registration_inputs& inputs) {
    const auto& c = inputs.configured;
    trust_check trust{inputs.upstream, inputs.upstream_url, c.issuer, "the client secret"};
    if (!c.issuer.empty())
        trust.what = "the pre-registered client";
    if (c.has_secret() || !c.issuer.empty()) {
        auto trusted = may_send_secret(trust, server);
        if (!trusted)
            return trusted.error();
    }
    return configured_client(server, c);
}

bool usable(const registered_client& stored, const authorization_server& server,
            const registration_inputs& inputs, time_point now) {
    return stored.issuer == server.issuer && stored.redirect_uri == inputs.redirect_uri &&
           !stored.secret_expired_at(now) && !stored.retired;
}

flow<result<registered_client>> register_once(const flow_environment& env, const registration_inputs& inputs,
                                              const authorization_server& server,
                                              const registration_request& wanted,
                                              const http_request& request) {
    retried_fetch<registered_client> how;
    how.retry = inputs.retry;
    how.purpose = "client registration";
    how.build = [&request]() -> result<http_request> { return request; };
    how.read = [&server, &wanted](const result<http_response>& answer) -> tried<registered_client> {
        using then = tried<registered_client>::then;
        auto client =
            answer ? read_registration(*answer, server, wanted) : result<registered_client>(answer.error());
        const bool later = !client && client.error().transient;
        return {std::move(client), later ? then::later : then::keep};
    };
    return fetch_with_retry(env, std::move(how));
}

} // namespace

result<std::optional<registered_client>> known_client(const authorization_server& server,
                                                      const registration_inputs& inputs) {
    if (!inputs.configured.id.empty()) {
        auto client = preregistered(server, inputs);
        if (!client)
            return client.error();
        return std::optional<registered_client>(std::move(*client));
    }
    if (server.client_id_metadata_document_supported && !inputs.client_metadata_url.empty())
        return std::optional<registered_client>(
            metadata_document_client(server.issuer, inputs.client_metadata_url, inputs.redirect_uri));
    return std::optional<registered_client>();
}

flow<result<registered_client>> obtain_client(const flow_environment& env, authorization_server server,
                                              registration_inputs inputs) {
    auto known = known_client(server, inputs);
    if (!known)
        co_return known.error();
    if (*known)
        co_return std::move(**known);
    if (inputs.stored && usable(*inputs.stored, server, inputs, env.now()))
        co_return std::move(*inputs.stored);

    registration_request wanted;
    wanted.redirect_uri = inputs.redirect_uri;
    wanted.loopback_redirect = inputs.loopback_redirect;
    wanted.grant_types = inputs.grant_types;
    if (!server.device_authorization_endpoint.empty())
        wanted.grant_types.emplace_back(grant_device_code);
    wanted.scope = inputs.scope;
    auto request = build_registration(server, wanted);
    if (!request)
        co_return request.error();
    auto inner = register_once(env, inputs, server, wanted, *request);
    auto client = co_await inner;
    if (client && client->secret_expired_at(env.now())) {
        // expired at birth: once more, before a person is asked. What expires in the past twice is no time.
        auto again = register_once(env, inputs, server, wanted, *request);
        client = co_await again;
        if (client && client->secret_expired_at(env.now()))
            client->secret_expires_at.reset();
    }
    if (client)
        client->registered_at = env.now();
    co_return client;
}

bool wants_new_registration(const failure& why, const registered_client& client) {
    return client.origin == client_origin::dynamic && why.oauth_error == "invalid_client";
}

failure with_advice_for(failure why, const registered_client& client) {
    if (wants_new_registration(why, client))
        why.fix =
            "it does not know the client any more that was registered there: the next sign-in registers a "
            "new one";
    return why;
}

bool may_be_forgotten(const failure& why, const registered_client& client, time_point now) {
    const auto& word = why.oauth_error;
    const bool refused =
        word == "unauthorized_client" || word == "invalid_request" || word == "invalid_client";
    return refused && old_registration(client, now);
}

bool old_registration(const registered_client& client, time_point now) {
    return client.origin == client_origin::dynamic &&
           (!client.registered_at || *client.registered_at + registration_doubt <= now);
}

} // namespace reauth
