// Authorization URLs and callbacks.
#include "core/oauth/authorization.hpp"

#include "core/oauth/foreign_text.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

namespace {

constexpr std::string_view ours[] = {"response_type", "client_id", "redirect_uri",   "scope",
                                     "state",         "resource",  "code_challenge", "code_challenge_method",
                                     "nonce"};

bool is_ours(std::string_view name) {
    return std::find(std::begin(ours), std::end(ours), name) != std::end(ours);
}

failure refused(std::string message, std::string fix, std::string oauth_error = {}) {
    return failure::permanent(fault::reauth_failed, std::move(message), std::move(fix))
        .with_oauth_error(std::move(oauth_error));
}

// The endpoint with its own query, less what we set ourselves: no parameter may come twice (RFC 6749 §3.1).
std::string base_of(const authorization_request& request, const http_url& parsed) {
    const auto& endpoint = request.endpoint;
    const auto configured = [&](const std::string& name) {
        return std::any_of(request.extra.begin(), request.extra.end(),
                           [&](const auto& p) { return p.first == name; });
    };
    std::string out = without_query(endpoint);
    char separator = '?';
    for (std::string_view rest = parsed.query; !rest.empty();) {
        const auto end = rest.find('&');
        const auto field = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        const auto name = percent_decode(field.substr(0, field.find('=')), true);
        if (field.empty() || !name || is_ours(*name) || configured(*name))
            continue;
        out += separator;
        out += field;
        separator = '&';
    }
    return out;
}

} // namespace

result<std::vector<std::pair<std::string, std::string>>>
authorization_parameters(const authorization_request& request) {
    std::vector<std::pair<std::string, std::string>> out;
    const auto add = [&](std::string name, std::string value) {
        if (!value.empty())
            out.emplace_back(std::move(name), std::move(value));
    };
    add("response_type", "code");
    add("client_id", request.client_id);
    add("redirect_uri", request.redirect_uri);
    add("scope", request.scope.to_string());
    add("state", request.state);
    add("code_challenge", request.code_challenge);
    if (!request.code_challenge.empty())
        add("code_challenge_method", "S256");
    add("resource", request.resource);
    add("nonce", request.nonce);
    for (const auto& [name, value] : request.extra) {
        if (is_ours(name))
            return failure::permanent(fault::invalid_configuration,
                                      "`authorize_params` may not set " + name +
                                          ", which is part of the protocol",
                                      "remove it from `authorize_params`");
        out.emplace_back(name, value);
    }
    return out;
}

result<std::string> authorization_url(const authorization_request& request) {
    const auto endpoint = parse_secure_url(request.endpoint, "authorization_endpoint", request.http);
    if (!endpoint)
        return endpoint.error();
    const auto parameters = authorization_parameters(request);
    if (!parameters)
        return parameters.error();
    std::string url = base_of(request, *endpoint);
    for (const auto& [name, value] : *parameters)
        append_query(url, name, value);
    return url;
}

result<std::string> pushed_authorization_url(const authorization_request& request,
                                             std::string_view request_uri) {
    const auto endpoint = parse_secure_url(request.endpoint, "authorization_endpoint", request.http);
    if (!endpoint)
        return endpoint.error();
    std::string url = base_of(request, *endpoint);
    append_query(url, "client_id", request.client_id);
    append_query(url, "request_uri", request_uri);
    return url;
}

result<authorization_callback> parse_callback_query(std::string_view query) {
    authorization_callback out;
    const std::pair<std::string_view, std::optional<std::string>*> known[] = {
        {"code", &out.code},
        {"state", &out.state},
        {"iss", &out.iss},
        {"error", &out.error},
        {"error_description", &out.error_description},
    };
    for (auto& [name, value] : parse_form(query)) {
        for (const auto& [wanted, into] : known) {
            if (name != wanted)
                continue;
            if (*into)
                return refused("the callback has the parameter " + name + " twice", "start the login again");
            *into = std::move(value);
            break;
        }
    }
    return out;
}

result<authorization_callback> parse_callback_url(std::string_view pasted) {
    pasted = trim_space(pasted);
    pasted = pasted.substr(0, pasted.find('#'));
    if (const auto mark = pasted.find('?'); mark != std::string_view::npos)
        pasted.remove_prefix(mark + 1);
    auto out = parse_callback_query(pasted);
    if (out && !out->state)
        return refused("this is not a callback URL: it has no `state`",
                       "copy the whole address from the browser, from http up to its end");
    return out;
}

bool denied_by_machine(std::string_view description) {
    const auto text = ascii_lower(description);
    const auto says = [&](std::initializer_list<std::string_view> words) {
        return std::any_of(words.begin(), words.end(),
                           [&](std::string_view word) { return text.find(word) != text.npos; });
    };
    if (says(
            {"cancel", "declin", "abort", "user denied", "owner denied", "denied the", "denied by the user"}))
        return false;
    return says({"scope", "policy", "policies", "not assigned", "administrator", "aadsts", "not allowed",
                 "not permitted", "not authorized"});
}

result<secret> check_callback(const authorization_callback& callback, const callback_expectation& expected) {
    if (!callback.state || expected.state.empty() || !expected.state.equals(*callback.state))
        return refused("the callback's `state` belongs to no login that was started here",
                       "start the login again");
    if (!callback.iss && expected.iss_required)
        return refused("the callback has no `iss`, although " + clean_text(expected.issuer) +
                           " says it always sends one: another server may have answered (RFC 9207)",
                       "start the login again; if it stays so, the server's operator must repair it");
    if (callback.iss && *callback.iss != expected.issuer)
        return refused("the callback comes from the issuer " + clean_text(*callback.iss) + ", not from " +
                           clean_text(expected.issuer) + " (RFC 9207)",
                       "start the login again, and only at the expected server");
    if (callback.error) {
        const std::string word = clean_text(*callback.error, 64);
        std::string message = "the authorization server answered " + word;
        if (callback.error_description)
            message += ": " + clean_foreign(*callback.error_description, {expected.state});
        const bool machine = callback.error_description && denied_by_machine(*callback.error_description);
        if (*callback.error == "access_denied" && machine)
            return refused(
                std::move(message),
                "nobody has denied it: the server has given nothing for what was asked; set `scopes` of "
                "the upstream to scopes that it grants, or ask its operator for access",
                word);
        if (*callback.error == "access_denied")
            return failure::permanent(fault::approval_denied, std::move(message),
                                      "start the login again if that was not intended")
                .with_oauth_error(word);
        failure f = refused(std::move(message), {}, word);
        f.transient = word == "temporarily_unavailable" || word == "server_error";
        if (word == "invalid_scope")
            f.fix = "set `scopes` of the upstream to scopes that the server knows";
        else if (word == "invalid_target")
            f.fix = "set `resource: omit` for the upstream if the server does not accept a resource";
        else
            f.fix = "start the login again";
        return f;
    }
    if (!callback.code || callback.code->empty())
        return refused("the callback has neither `code` nor `error`", "start the login again");
    return secret{*callback.code};
}

} // namespace reauth
