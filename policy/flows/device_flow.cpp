// Begun like any sign-in, finished by asking.
#include "policy/flows/device_flow.hpp"

#include "core/oauth/device.hpp"
#include "policy/flows/token_flow.hpp"

namespace reauth {

flow<result<begun_authorization>> begin_device_login(const flow_environment& env,
                                                     authorization_inputs inputs) {
    if (!inputs.scopes.empty() && inputs.server.offers_offline_access())
        inputs.scopes.add("offline_access");
    auto key = dpop_key_for(inputs.dpop, {});
    if (!key)
        co_return key.error();
    const token_call call{inputs.server, inputs.client.identity, env.now(), env.random};
    auto request = device_authorization_request(call, inputs.scopes, inputs.resource);
    if (!request)
        co_return request.error();
    const auto sent = secrets_of(*request);
    fetch ask{std::move(*request), "device authorization"};
    auto answer = co_await std::move(ask);
    if (!answer)
        co_return answer.error();
    auto code = read_device_authorization(*answer, sent, inputs.http);
    if (!code)
        co_return code.error();
    begun_authorization begun;
    auto& p = begun.pending;
    p.approval_id = inputs.approval_id;
    p.upstream = inputs.upstream;
    p.principal = inputs.principal;
    p.state = secret(random_token(env.random));
    p.server = inputs.server;
    p.client = inputs.client;
    p.redirect_uri = inputs.redirect_uri;
    p.resource = inputs.resource;
    p.scopes = inputs.scopes;
    p.dpop_key = std::move(*key);
    p.created_at = env.now();
    p.expires_at = p.created_at + code->expires_in;
    p.device_code = std::move(code->device_code);
    p.user_code = code->user_code;
    p.verification_uri = code->verification_uri;
    p.interval = code->interval;
    p.location =
        code->verification_uri_complete.empty() ? code->verification_uri : code->verification_uri_complete;
    co_return begun;
}

flow<result<token_response>> ask_device_token(const flow_environment& env,
                                              const pending_authorization& pending) {
    token_request_spec question;
    question.build = [&env, &pending] {
        const token_call call{pending.server, pending.client.identity, env.now(), env.random};
        return device_token_request(call, pending.device_code, pending.resource);
    };
    question.dpop_key = pending.dpop_key;
    question.retry = retry_schedule::never();
    question.purpose = "device login";
    auto inner = ask_token_endpoint(env, std::move(question));
    co_return co_await inner;
}

failure device_failure(failure why) {
    if (why.oauth_error == "expired_token") {
        why.code = fault::approval_timeout;
        why.message = "the code was not entered in time";
        why.fix = "approve once more to get another one";
    } else if (why.oauth_error == "access_denied") {
        why.code = fault::approval_denied;
        why.fix = "start the login again if that was not intended";
    }
    return why;
}

} // namespace reauth
