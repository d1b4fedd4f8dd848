// Token exchange at the IdP, then the assertion at the upstream's authorization server.
#include "policy/flows/enterprise_flow.hpp"

#include "policy/flows/new_token.hpp"

namespace reauth {
namespace {

failure words(std::string who, failure why) {
    why.message = std::move(who) + ": " + why.message;
    return why;
}

/// What stands for the person on leg 2; nothing: the session is gone.
std::optional<token_exchange> subject_of(const enterprise_inputs& inputs, time_point now) {
    const auto& session = inputs.session;
    const auto wanted = inputs.subject;
    token_exchange exchange;
    if (wanted == exchange_subject::caller) {
        set_subject(exchange, inputs.caller);
        return exchange;
    }
    if (wanted == exchange_subject::session &&
        state_of(session, now, std::chrono::seconds(5)) == session_state::ready) {
        exchange.subject_token = session.id_token;
        return exchange;
    }
    if (session.refresh_token.empty())
        return std::nullopt;
    exchange.subject_token = session.refresh_token;
    exchange.subject_token_type = token_type_refresh_token;
    return exchange;
}

/// Leg 2: in the IdP's plane only.
flow<result<secret>> obtain_id_jag(const flow_environment& env, const enterprise_inputs& inputs,
                                   token_exchange exchange, retry_schedule retry) {
    token_request_spec question;
    question.build = [&env, &inputs, &exchange] {
        const token_call call{inputs.idp, inputs.idp_client, env.now(), env.random};
        return token_exchange_request(call, exchange);
    };
    question.retry = std::move(retry);
    question.purpose = "token exchange at the identity provider";
    auto inner = ask_token_endpoint(env, std::move(question));
    auto response = co_await inner;
    if (!response)
        co_return response.error();
    co_return id_jag_of(*response);
}

/// Leg 3: in the upstream's plane only. One try: an ID-JAG is good for one.
flow<result<credential>> redeem_id_jag(const flow_environment& env, const enterprise_inputs& inputs,
                                       secret id_jag) {
    request_builder build = [&env, &inputs, &id_jag] {
        const token_call call{inputs.server, inputs.client.identity, env.now(), env.random};
        return jwt_bearer_request(call, id_jag, inputs.scopes, inputs.resource);
    };
    new_token_inputs wanted{inputs.trust,     inputs.server,
                            inputs.client,    inputs.scopes,
                            inputs.resource,  inputs.dpop_key,
                            inputs.dpop,      retry_schedule::never(),
                            std::move(build), "token for the organisation's assertion"};
    auto inner = obtain_new_token(env, std::move(wanted));
    co_return co_await inner;
}

minted session_gone(const idp_session& session) {
    failure f;
    f.code = fault::reauth_failed;
    f.message = "the session at identity provider " + session.identity_provider + " has expired";
    f.fix = session.supplied ? "supply a fresh ID token" : "log in at the identity provider again";
    return {f, true, false};
}

/// Another login would bring none either.
minted no_refresh_token(const idp_session& session) {
    failure f;
    f.code = fault::reauth_failed;
    f.message = "the identity provider " + session.identity_provider +
                " has issued no refresh token, and `subject: refresh_token` begins with one";
    f.fix = "have it issue them to this client (offline_access), or set `subject: session`";
    return {f, false, false};
}

} // namespace

flow<minted> mint_credential(const flow_environment& env, enterprise_inputs inputs) {
    auto trusted = may_send_secret(inputs.trust, inputs.server);
    if (!trusted) {
        minted refused{trusted.error(), false, false};
        co_return refused;
    }
    auto leg2_retry = inputs.retry;
    for (std::size_t rounds = 1;; ++rounds) {
        auto exchange = subject_of(inputs, env.now());
        if (!exchange && inputs.subject == exchange_subject::refresh_token)
            co_return no_refresh_token(inputs.session);
        if (!exchange)
            co_return session_gone(inputs.session);
        const bool by_id_token = exchange->subject_token_type == token_type_id_token;
        exchange->audience = inputs.server.issuer;
        exchange->resource = inputs.resource;
        exchange->scope = inputs.scopes;
        auto asking = obtain_id_jag(env, inputs, std::move(*exchange), leg2_retry);
        auto id_jag = co_await asking;
        if (!id_jag) {
            // what the caller has shown is no session of ours
            const bool gone =
                id_jag.error().oauth_error == "invalid_grant" && inputs.subject != exchange_subject::caller;
            minted refused{words("identity provider " + inputs.session.identity_provider, id_jag.error()),
                           gone, gone && by_id_token && !inputs.session.refresh_token.empty()};
            co_return refused;
        }
        auto redeeming = redeem_id_jag(env, inputs, std::move(*id_jag));
        auto made = co_await redeeming;
        if (made && inputs.subject == exchange_subject::caller)
            end_with(*made, inputs.caller);
        if (made) {
            minted done{std::move(made), false, false};
            co_return done;
        }
        const auto wait = next_pause(inputs.retry, rounds, nullptr);
        const auto asked = made.error().retry_after.value_or(std::chrono::seconds(0));
        if (!made.error().transient || !wait || asked > inputs.retry.retry_after_cap) {
            minted refused{words("authorization server of " + inputs.trust.upstream, made.error()), false,
                           false};
            co_return refused;
        }
        const pause rest{*wait};
        co_await rest;
        leg2_retry = retry_schedule::never();
    }
}

} // namespace reauth
