// Client authentication at token endpoints.
#include "core/oauth/client_auth.hpp"

#include "core/crypto/jose.hpp"
#include "core/text/display_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {

namespace {

constexpr std::chrono::seconds assertion_life{60};

failure misconfigured(std::string message, std::string fix) {
    return failure::permanent(fault::invalid_configuration, std::move(message), std::move(fix));
}

result<void> add_assertion(form_body& form, const client_identity& client, std::string_view issuer,
                           time_point now, const random_source& random) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
    nlohmann::json header = {{"typ", "JWT"}};
    if (!client.key_id.empty())
        header["kid"] = client.key_id;
    const nlohmann::json claims = {{"iss", client.id},       {"sub", client.id},
                                   {"aud", issuer},          {"jti", random_token(random)},
                                   {"iat", seconds.count()}, {"exp", (seconds + assertion_life).count()}};
    auto assertion = sign_jwt(client.private_key, client.alg, header, claims);
    if (!assertion)
        return assertion.error();
    form.add("client_id", client.id);
    form.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    form.add("client_assertion", *assertion);
    return {};
}

} // namespace

std::string_view to_string(client_auth_method m) noexcept {
    switch (m) {
    case client_auth_method::none:
        break;
    case client_auth_method::client_secret_basic:
        return "client_secret_basic";
    case client_auth_method::client_secret_post:
        return "client_secret_post";
    case client_auth_method::private_key_jwt:
        return "private_key_jwt";
    }
    return "none";
}

std::optional<client_auth_method> client_auth_method_from(std::string_view name) noexcept {
    for (const auto m : {client_auth_method::none, client_auth_method::client_secret_basic,
                         client_auth_method::client_secret_post, client_auth_method::private_key_jwt})
        if (to_string(m) == name)
            return m;
    return std::nullopt;
}

result<client_auth_method> choose_client_auth(const authorization_server& server, std::string_view configured,
                                              bool has_secret, bool has_private_key) {
    using enum client_auth_method;
    if (!configured.empty()) {
        const auto method = client_auth_method_from(configured);
        if (!method)
            return misconfigured("`client.auth` " + clean_text(configured) + " is unknown",
                                 "use none, client_secret_basic, client_secret_post or private_key_jwt");
        if ((*method == client_secret_basic || *method == client_secret_post) && !has_secret)
            return misconfigured("`client.auth` is " + std::string(configured) +
                                     ", but there is no `client.secret`",
                                 "set `client.secret`, or `client.auth: none`");
        if (*method == private_key_jwt && !has_private_key)
            return misconfigured("`client.auth` is private_key_jwt, but there is no `client.private_key`",
                                 "set `client.private_key` to a PEM or JWK");
        return *method;
    }
    if (has_private_key)
        return private_key_jwt;
    if (!has_secret)
        return none;
    const auto& listed = server.token_endpoint_auth_methods_supported;
    if (!listed)
        return client_secret_basic; // RFC 8414 §2: the default
    for (const auto method : {client_secret_basic, client_secret_post})
        if (std::find(listed->begin(), listed->end(), to_string(method)) != listed->end())
            return method;
    return misconfigured(
        "the authorization server " + clean_text(server.issuer) +
            " lists neither client_secret_basic nor client_secret_post, so `client.secret` cannot be used",
        "set `client.auth` to a method that it lists");
}

result<void> apply_client_auth(http_request& request, form_body& form, const client_identity& client,
                               std::string_view issuer, time_point now, const random_source& random) {
    switch (client.method) {
    case client_auth_method::none:
        break;
    case client_auth_method::client_secret_basic: {
        // RFC 6749 §2.3.1: each half is form-encoded before the colon joins them
        const std::string pair = form_encode(client.id) + ":" + form_encode(client.client_secret.reveal());
        request.authorization = secret{"Basic " + base64_encode(pair)};
        return {};
    }
    case client_auth_method::client_secret_post:
        form.add("client_id", client.id);
        form.add("client_secret", client.client_secret);
        return {};
    case client_auth_method::private_key_jwt:
        return add_assertion(form, client, issuer, now, random);
    }
    form.add_if("client_id", client.id);
    return {};
}

} // namespace reauth
