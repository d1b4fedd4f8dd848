// One request; its answer is bound to what was exchanged.
#include "policy/flows/exchange_flow.hpp"

#include <algorithm>

namespace reauth {

namespace {

failure with_advice(failure why) {
    if (why.oauth_error == "interaction_required" || why.oauth_error == "consent_required" ||
        why.oauth_error == "login_required")
        why.fix = "a person has to agree first: with `fallback: interactive` they are asked";
    else if (why.oauth_error == "invalid_target")
        why.fix = "the server that exchanges does not know that audience or resource: see `exchange`";
    return why;
}

} // namespace

void set_subject(token_exchange& exchange, const caller_subject& caller) {
    exchange.subject_token = caller.token;
    exchange.subject_token_type = caller.id_token ? token_type_id_token : token_type_access_token;
}

void end_with(credential& made, const caller_subject& caller) {
    made.expires_at = std::min(made.expires_at.value_or(caller.until), caller.until);
}

flow<result<credential>> exchange_token(const flow_environment& env, exchange_inputs inputs) {
    if (inputs.caller.until <= env.now())
        co_return failure::permanent(fault::reauth_failed, "the token that the caller has shown has ended",
                                     "send the request again with a new one");
    set_subject(inputs.exchange, inputs.caller);
    request_builder build = [&env, &inputs] {
        const token_call call{inputs.server, inputs.client.identity, env.now(), env.random};
        return token_exchange_request(call, inputs.exchange);
    };
    new_token_inputs wanted{
        inputs.trust, inputs.server, inputs.client, inputs.exchange.scope, inputs.exchange.resource,
        {},           inputs.dpop,   inputs.retry,  std::move(build),      "exchange of the caller's token"};
    auto inner = obtain_new_token(env, std::move(wanted));
    auto made = co_await inner;
    if (!made)
        co_return with_advice(made.error());
    if (!inputs.issuer.empty())
        made->issuer = inputs.issuer;
    end_with(*made, inputs.caller);
    co_return made;
}

} // namespace reauth
