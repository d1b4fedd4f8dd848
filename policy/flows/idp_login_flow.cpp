// Leg 1 as flows: the OIDC login, and its silent renewal with the IdP's refresh token.
#include "core/crypto/jose.hpp"
#include "core/json/json_fields.hpp"
#include "core/oauth/claims.hpp"
#include "policy/flows/account_flow.hpp"
#include "policy/flows/code_redemption.hpp"
#include "policy/flows/device_flow.hpp"
#include "policy/flows/idp_session.hpp"
#include "policy/flows/server_lookup.hpp"
#include "policy/flows/token_flow.hpp"

namespace reauth {
namespace {

failure idp_failure(fault code, std::string message, std::string fix) {
    return failure::permanent(code, std::move(message), std::move(fix));
}

failure at_idp(const std::string& name, failure why) {
    why.message = "identity provider " + name + ": " + why.message;
    return why;
}

/// The signing keys, with retries: they are fetched before the code, which is good for one try, is spent.
flow<result<std::string>> fetch_keys(const flow_environment& env, authorization_server server) {
    if (server.jwks_uri.empty())
        co_return idp_failure(fault::discovery_failed,
                              server.issuer + " names no jwks_uri, so its ID tokens cannot be checked",
                              "ask the identity provider's operator to complete its metadata");
    retried_fetch<std::string> how;
    how.purpose = "identity provider keys";
    how.build = [url = server.jwks_uri]() -> result<http_request> { return get_json(url); };
    how.read = [url = server.jwks_uri](const result<http_response>& answer) -> tried<std::string> {
        using then = tried<std::string>::then;
        std::vector<discovery_step> steps;
        switch (judge_metadata_answer(url, answer, steps)) {
        case metadata_answer::document:
            return {answer->body, then::keep};
        case metadata_answer::refused:
            return {answer.error(), then::keep};
        case metadata_answer::absent:
            return {idp_failure(fault::discovery_failed,
                                "the keys at " + url + " answered with " + steps.back().outcome,
                                "check the identity provider's metadata"),
                    then::keep};
        case metadata_answer::later:
            break;
        }
        return {metadata_unavailable(url, answer), then::later};
    };
    auto work = fetch_with_retry(env, std::move(how));
    co_return co_await work;
}

/// A token that was made just now lives as long as its issuer meant, whatever the difference of the clocks.
/// An `iat` that no clock explains belongs to an older token.
time_point end_of_life(const id_token_claims& claims, time_point now) {
    constexpr std::chrono::minutes clocks_differ{6};
    const bool fresh = claims.issued_at && *claims.issued_at < now + clocks_differ &&
                       now < *claims.issued_at + clocks_differ;
    return fresh ? now + (claims.expires_at - *claims.issued_at) : claims.expires_at;
}

result<id_token_claims> claims_of_login(const pending_authorization& pending, const token_response& response,
                                        const std::string& keys, time_point now) {
    if (response.id_token.empty())
        return idp_failure(fault::reauth_failed, "the answer to the login holds no ID token",
                           "check that the client at the identity provider may use the scope openid");
    id_token_expectation expected;
    expected.issuer = pending.server.issuer;
    expected.client_id = pending.client.identity.id;
    expected.nonce = pending.nonce;
    expected.now = now;
    // The nonce proves that it is fresh, so clocks may differ by a few minutes.
    expected.skew = std::chrono::minutes(5);
    return check_id_token(response.id_token, keys, expected);
}

result<idp_session> session_from_login(const pending_authorization& pending, token_response& response,
                                       const std::string& keys, time_point now) {
    auto claims = claims_of_login(pending, response, keys, now);
    if (!claims)
        return claims.error();
    idp_session s;
    s.identity_provider = pending.identity_provider;
    s.issuer = std::move(claims->issuer);
    s.subject = std::move(claims->subject);
    s.client_id = pending.client.identity.id;
    s.id_token = std::move(response.id_token);
    s.refresh_token = std::move(response.refresh_token);
    s.obtained_at = now;
    s.expires_at = end_of_life(*claims, now);
    return s;
}

/// The answer to a login's code, and the keys that its ID token is checked with.
struct redeemed_login {
    token_response response;
    std::string keys;
};

/// `pending` has to outlive it.
flow<result<redeemed_login>> redeem_login(const flow_environment& env, const pending_authorization& pending,
                                          authorization_callback callback,
                                          std::optional<std::string> browser_binding) {
    auto code = accept_callback(env, pending, callback, browser_binding);
    if (!code)
        co_return code.error();
    auto fetching = fetch_keys(env, pending.server);
    auto keys = co_await fetching;
    if (!keys)
        co_return keys.error();
    auto redeeming = redeem_code(env, pending, std::move(*code));
    auto response = co_await redeeming;
    if (!response)
        co_return response.error();
    co_return redeemed_login{std::move(*response), std::move(*keys)};
}

/// A renewed ID token came straight from the IdP's token endpoint; it must still speak of the same person.
result<void> take_renewed_token(idp_session& session, secret id_token, time_point now) {
    auto claims = peek_id_token(id_token);
    if (!claims)
        return claims.error();
    if (claims->issuer != session.issuer || claims->subject != session.subject)
        return idp_failure(fault::reauth_failed, "the renewed ID token speaks of another issuer or subject",
                           "log in at the identity provider again");
    session.id_token = std::move(id_token);
    session.expires_at = end_of_life(*claims, now);
    return {};
}

} // namespace

result<begun_authorization> begin_idp_login(const flow_environment& env, idp_login_inputs inputs) {
    auto safe = check_pkce(inputs.server, inputs.allow_missing_pkce);
    if (!safe)
        return at_idp(inputs.identity_provider, safe.error());
    authorization_inputs front;
    front.principal = inputs.principal;
    front.approval_id = inputs.approval_id;
    front.server = std::move(inputs.server);
    front.client = std::move(inputs.client);
    front.redirect_uri = inputs.redirect_uri;
    front.scopes = std::move(inputs.scopes);
    front.bind_to_browser = inputs.bind_to_browser;
    front.lifetime = inputs.lifetime;
    front.acr_values = inputs.acr_values;
    front.max_age = inputs.max_age;
    front.prompt_login = inputs.prompt_login;
    ask_for_person(front);
    auto begun = open_front_channel(env, front, random_token(env.random));
    if (!begun)
        return at_idp(inputs.identity_provider, begun.error());
    begun->pending.kind = authorization_kind::idp_login;
    begun->pending.identity_provider = inputs.identity_provider;
    return begun;
}

flow<result<idp_session>> finish_idp_login(const flow_environment& env, pending_authorization pending,
                                           authorization_callback callback,
                                           std::optional<std::string> browser_binding) {
    auto redeeming = redeem_login(env, pending, std::move(callback), std::move(browser_binding));
    auto login = co_await redeeming;
    if (!login)
        co_return at_idp(pending.identity_provider, login.error());
    auto person = check_authentication(pending, login->response.id_token, env.now());
    if (!person)
        co_return at_idp(pending.identity_provider, person.error());
    auto session = session_from_login(pending, login->response, login->keys, env.now());
    if (!session)
        co_return at_idp(pending.identity_provider, session.error());
    co_return session;
}

flow<result<page_login>> finish_page_login(const flow_environment& env, pending_authorization pending,
                                           authorization_callback callback,
                                           std::optional<std::string> browser_binding,
                                           std::string principal_claim, std::string groups_claim) {
    auto redeeming = redeem_login(env, pending, std::move(callback), std::move(browser_binding));
    auto redeemed = co_await redeeming;
    if (!redeemed)
        co_return at_idp(pending.identity_provider, redeemed.error());
    const auto& response = redeemed->response;
    auto who = claims_of_login(pending, response, redeemed->keys, env.now());
    if (!who)
        co_return at_idp(pending.identity_provider, who.error());
    page_login login{std::move(*who), {}, {}};
    const auto read = [&](const nlohmann::json& claims) {
        if (login.principal.empty())
            login.principal = name_claimed(claims, principal_claim);
        if (login.groups.empty())
            login.groups = groups_claimed(claims, groups_claim);
        if (login.who.email.empty())
            login.who.email = json_string(claims, "email");
    };
    const auto claims = decode_jwt_claims(response.id_token.reveal());
    if (claims && claims->is_object())
        read(*claims);
    const bool lacking = login.principal.empty() || login.groups.empty();
    if (lacking && !pending.server.userinfo_endpoint.empty()) {
        fetch ask{userinfo_request(pending.server.userinfo_endpoint, response.access_token), "userinfo"};
        auto answer = co_await std::move(ask);
        const auto said = answer && answer->status == 200 ? parse_json_object(answer->body) : std::nullopt;
        if (said && json_string(*said, "sub") == login.who.subject)
            read(*said);
    }
    co_return login;
}

flow<result<idp_session>> device_session(const flow_environment& env, pending_authorization pending,
                                         token_response response) {
    auto fetching = fetch_keys(env, pending.server);
    auto keys = co_await fetching;
    if (!keys)
        co_return at_idp(pending.identity_provider, keys.error());
    auto session = session_from_login(pending, response, *keys, env.now());
    if (!session)
        co_return at_idp(pending.identity_provider, session.error());
    co_return session;
}

flow<result<idp_session>> renew_idp_session(const flow_environment& env, idp_renewal_inputs inputs) {
    auto& session = inputs.session;
    if (session.refresh_token.empty() || session.issuer != inputs.server.issuer)
        co_return idp_failure(fault::reauth_failed,
                              "the session at identity provider " + session.identity_provider +
                                  " cannot be renewed",
                              "log in at the identity provider again");
    token_request_spec question;
    question.build = [&env, &inputs] {
        const token_call call{inputs.server, inputs.client, env.now(), env.random};
        return refresh_request(call, inputs.session.refresh_token, {}, "");
    };
    question.retry = inputs.retry;
    question.purpose = "identity provider session renewal";
    auto inner = ask_token_endpoint(env, std::move(question));
    auto response = co_await inner;
    if (!response)
        co_return at_idp(session.identity_provider, response.error());
    if (!response->refresh_token.empty())
        session.refresh_token = std::move(response->refresh_token);
    if (!response->id_token.empty()) {
        auto taken = take_renewed_token(session, std::move(response->id_token), env.now());
        if (!taken)
            co_return at_idp(session.identity_provider, taken.error());
    }
    session.obtained_at = env.now();
    co_return std::move(session);
}

} // namespace reauth
