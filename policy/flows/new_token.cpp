// Trust first, then one request; the answer becomes a credential.
#include "policy/flows/new_token.hpp"

namespace reauth {

flow<result<credential>> obtain_new_token(const flow_environment& env, new_token_inputs inputs) {
    auto trusted = may_send_secret(inputs.trust, inputs.server);
    if (!trusted)
        co_return trusted.error();
    auto key = dpop_key_for(inputs.dpop, inputs.dpop_key);
    if (!key)
        co_return key.error();
    token_request_spec question;
    question.build = std::move(inputs.build);
    question.dpop_key = *key;
    question.retry = inputs.retry;
    question.purpose = inputs.purpose;
    auto inner = ask_token_endpoint(env, std::move(question));
    auto response = co_await inner;
    if (!response)
        co_return response.error();
    // The grant itself renews; a refresh token would only be one more secret to lose.
    response->refresh_token = secret();
    credential_context context;
    context.requested = inputs.scopes;
    context.issuer = inputs.server.issuer;
    context.resource = inputs.resource;
    context.client_id = inputs.client.identity.id;
    context.dpop_key = std::move(*key);
    context.now = env.now();
    co_return make_credential(*response, context, nullptr);
}

} // namespace reauth
