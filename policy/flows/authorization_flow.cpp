// The authorization URL, and what its callback becomes.
#include "policy/flows/authorization_flow.hpp"

#include "core/crypto/jose.hpp"
#include "core/crypto/pkce.hpp"
#include "core/json/json_fields.hpp"
#include "core/oauth/dpop.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"
#include "policy/flows/account_flow.hpp"
#include "policy/flows/code_redemption.hpp"
#include "policy/flows/token_flow.hpp"

#include <algorithm>

namespace reauth {

namespace {

bool says(const authorization_inputs& inputs, std::string_view name) {
    return std::any_of(inputs.authorize_params.begin(), inputs.authorize_params.end(),
                       [&](const auto& p) { return p.first == name; });
}

} // namespace

void ask_for_person(authorization_inputs& inputs) {
    auto& extra = inputs.authorize_params;
    if (!inputs.acr_values.empty() && !says(inputs, "acr_values"))
        extra.emplace_back("acr_values", inputs.acr_values);
    if (!inputs.login_hint.empty() && !says(inputs, "login_hint"))
        extra.emplace_back("login_hint", inputs.login_hint);
    if (inputs.max_age && !says(inputs, "max_age"))
        extra.emplace_back("max_age", std::to_string(inputs.max_age->count()));
    if (says(inputs, "prompt"))
        return;
    // an OpenID provider gives a refresh token only to a person who is asked for it (OIDC Core §11); Entra
    // gives one without, and a prompt for consent fails people whose organisation has consented for them
    const bool offline = inputs.server.is_openid_provider() && inputs.scopes.contains("offline_access") &&
                         !is_entra(inputs.server.issuer);
    std::string prompt;
    const auto add = [&](std::string_view word) { prompt.append(prompt.empty() ? "" : " ").append(word); };
    const auto& known = inputs.server.prompt_values_supported;
    if (inputs.prompt_login)
        add("login");
    else if (inputs.select_account && (!known || lists(*known, "select_account")))
        add("select_account");
    if (offline)
        add("consent");
    if (!prompt.empty())
        extra.emplace_back("prompt", std::move(prompt));
}

result<void> check_authentication(const pending_authorization& pending, const secret& id_token,
                                  time_point now) {
    constexpr std::chrono::seconds clocks_differ{60};
    if (id_token.empty() || (pending.acr_values.empty() && !pending.max_age))
        return {}; // the upstream itself judges the token
    const auto claims = decode_jwt_claims(id_token.reveal());
    if (!claims)
        return claims.error();
    const auto acr = json_string(*claims, "acr");
    const auto wanted = " " + pending.acr_values + " ";
    if (!pending.acr_values.empty() && (acr.empty() || wanted.find(" " + acr + " ") == wanted.npos))
        return failure::permanent(fault::reauth_failed,
                                  "the sign-in was of the kind " +
                                      (acr.empty() ? "(not said)" : clean_text(acr)) +
                                      ", and the upstream wants " + clean_text(pending.acr_values),
                                  "sign in in that way, or ask the provider's operator for it");
    const auto signed_in = json_time(*claims, "auth_time");
    if (pending.max_age && signed_in && *signed_in + *pending.max_age + clocks_differ < now)
        return failure::permanent(fault::reauth_failed,
                                  "the upstream wants a sign-in that is at most " +
                                      std::to_string(pending.max_age->count()) +
                                      " s old, and this one is older",
                                  "sign out at the provider, then sign in again");
    return {};
}

bool pushes(par_mode mode, const authorization_server& server) noexcept {
    if (mode == par_mode::automatic)
        return server.require_pushed_authorization_requests &&
               !server.pushed_authorization_request_endpoint.empty();
    return mode == par_mode::require;
}

flow<result<begun_authorization>> push_authorization(const flow_environment& env, begun_authorization begun) {
    const auto parameters = authorization_parameters(begun.request);
    if (!parameters)
        co_return parameters.error();
    const token_call call{begun.pending.server, begun.pending.client.identity, env.now(), env.random};
    auto request = pushed_request(call, *parameters);
    if (!request)
        co_return request.error();
    const auto sent = secrets_of(*request);
    fetch ask{std::move(*request), "pushed authorization request"};
    auto answer = co_await std::move(ask);
    if (!answer)
        co_return answer.error();
    const auto pushed = read_pushed_response(*answer, sent);
    if (!pushed)
        co_return pushed.error();
    auto url = pushed_authorization_url(begun.request, pushed->request_uri);
    if (!url)
        co_return url.error();
    begun.pending.location = std::move(*url);
    begun.pending.location_until = env.now() + pushed->expires_in;
    co_return begun;
}

result<begun_authorization> begin_authorization(const flow_environment& env, authorization_inputs inputs) {
    auto safe = check_pkce(inputs.server, inputs.allow_missing_pkce);
    if (safe)
        safe = check_front_channel(inputs.server, inputs.may_push);
    if (!safe)
        return safe.error();
    // Alone it would replace the server's default scopes, so it is only added to others.
    if (!inputs.scopes.empty() && inputs.server.offers_offline_access())
        inputs.scopes.add("offline_access");
    auto key = dpop_key_for(inputs.dpop, {});
    if (!key)
        return key.error();
    if (!key->empty()) {
        auto thumbprint = dpop_thumbprint(*key);
        if (!thumbprint)
            return thumbprint.error();
        inputs.authorize_params.emplace_back("dpop_jkt", std::move(*thumbprint));
    }
    ask_for_person(inputs);
    auto begun = open_front_channel(env, inputs, {});
    if (begun)
        begun->pending.dpop_key = std::move(*key);
    return begun;
}

flow<result<credential>> finish_authorization(const flow_environment& env, pending_authorization pending,
                                              authorization_callback callback,
                                              std::optional<std::string> browser_binding) {
    auto code = accept_callback(env, pending, callback, browser_binding);
    if (!code)
        co_return code.error();
    auto inner = redeem_code(env, pending, std::move(*code));
    auto response = co_await inner;
    if (!response)
        co_return response.error();
    auto person = check_authentication(pending, response->id_token, env.now());
    if (!person)
        co_return person.error();
    auto work = credential_of_login(env, std::move(pending), std::move(*response));
    co_return co_await work;
}

flow<result<credential>> credential_of_login(const flow_environment& env, pending_authorization pending,
                                             token_response response) {
    auto fresh = login_credential(pending, response, env.now());
    if (!fresh)
        co_return fresh;
    auto looking = find_account(env, std::move(pending), std::move(response));
    auto account = co_await looking;
    fresh->subject = std::move(account.subject);
    fresh->account = std::move(account.shown);
    co_return fresh;
}

result<credential> login_credential(const pending_authorization& pending, const token_response& response,
                                    time_point now) {
    credential_context context;
    context.requested = pending.scopes;
    context.issuer = pending.server.issuer;
    context.resource = pending.resource;
    context.client_id = pending.client.identity.id;
    context.dpop_key = pending.dpop_key;
    context.now = now;
    context.id_token_is_bearer = pending.id_token_is_bearer;
    return make_credential(response, context, nullptr);
}

} // namespace reauth
