// Answers of token endpoints, in all the shapes the field knows.
#include "core/oauth/token.hpp"

#include "core/json/json_fields.hpp"
#include "core/oauth/foreign_text.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"

#include <algorithm>

namespace reauth {

namespace {

using json = nlohmann::json;

constexpr std::chrono::seconds longest_life{10LL * 365 * 24 * 3600};

// JSON, or a form as GitHub sends it, as one JSON object; nothing if it is neither.
std::optional<json> document_of(const http_response& answer) {
    if (auto object = parse_json_object(answer.body))
        return object;
    const auto body = trim_space(answer.body);
    const auto type = ascii_lower(answer.header("Content-Type").value_or(""));
    const bool form = type.starts_with("application/x-www-form-urlencoded") ||
                      (type.starts_with("text/plain") && !body.starts_with('<'));
    if (!form || body.size() > 256 * 1024)
        return std::nullopt;
    json out = json::object();
    for (auto& [name, value] : parse_form(body))
        if (!out.contains(name))
            out[name] = std::move(value);
    return out;
}

// Errors that some servers spell in their own way.
std::string standard_error(const std::string& word) {
    for (const char* grant :
         {"bad_refresh_token", "invalid_refresh_token", "bad_verification_code", "refresh_token_not_found",
          "refresh_token_already_used", "session_not_found", "token_expired", "token_revoked"})
        if (word == grant)
            return "invalid_grant";
    if (word == "incorrect_client_credentials" || word == "bad_client_secret")
        return "invalid_client";
    return word;
}

std::string fix_for(const std::string& error) {
    if (error == "invalid_client")
        return "check `client.id`, `client.secret` and `client.auth` of the upstream";
    if (error == "invalid_grant")
        return "log in again";
    if (error == "invalid_scope")
        return "set `scopes` of the upstream to scopes that the server knows";
    if (error == "invalid_target" || error == "invalid_resource")
        return "set `resource: omit` for the upstream if the server does not accept a resource";
    if (error == "unauthorized_client" || error == "unsupported_grant_type")
        return "have the client allowed to use this grant at the authorization server";
    if (error == "invalid_request")
        return "if the server does not accept `resource`, set `resource: omit` for the upstream";
    return {};
}

failure unavailable(std::string message) {
    return failure::passing(fault::authorization_server_unavailable, std::move(message), "try again later");
}

failure oauth_failure(const http_response& answer, const json& document, const std::string& word,
                      const sent_secrets& sent) {
    std::string message = "the token endpoint answered " + clean_foreign(word, sent, 64);
    if (const auto said = clean_foreign(error_text(document), sent); !said.empty())
        message += ": " + said;
    const std::string error = clean_foreign(standard_error(word), sent, 64);
    // a failing server's opinion about the grant does not end the grant
    if (answer.status >= 500)
        return unavailable(std::move(message));
    if (may_work_later(answer.status) || error == "temporarily_unavailable" || error == "server_error" ||
        error == "slow_down") {
        failure f = unavailable(std::move(message));
        f.oauth_error = error;
        return f;
    }
    return failure::permanent(fault::reauth_failed, std::move(message), fix_for(error))
        .with_oauth_error(error);
}

/// The answer has no `error` of RFC 6749 §5.2. A 4xx is a refusal all the same.
failure no_oauth_answer(const http_response& answer, const std::optional<json>& document,
                        const sent_secrets& sent) {
    const std::string status = std::to_string(answer.status);
    if (answer.status >= 300 && answer.status < 400)
        return failure::permanent(fault::reauth_failed,
                                  "the token endpoint redirects (status " + status +
                                      "), which is not followed with credentials",
                                  "the server's metadata must name the final token_endpoint");
    const auto message =
        "the token endpoint answered status " + status + ": " + words_of(answer, document, sent);
    if (may_work_later(answer.status) || answer.status < 300)
        return unavailable(message);
    if (answer.status == 401)
        return failure::permanent(fault::reauth_failed, message, fix_for("invalid_client"))
            .with_oauth_error("invalid_client");
    failure f = failure::permanent(
        fault::reauth_failed, message,
        "log in again; if it stays so, compare `client` and `resource` of the upstream with what the server "
        "expects");
    f.status = answer.status;
    return f;
}

failure without_token(const http_response& answer, const json& document, const sent_secrets& sent) {
    auto f = unavailable("the token endpoint answered without access_token and without error: " +
                         words_of(answer, document, sent));
    f.fix = "its operator must put access_token at the top of the answer (RFC 6749 §5.1); until then set a "
            "token by "
            "hand: `grant: static` and `token`";
    return f;
}

std::optional<scope_set> scope_of(const json& document) {
    const auto values = json_strings(document, "scope");
    if (!values)
        return std::nullopt;
    scope_set out;
    for (const auto& value : *values)
        for (const auto& token : scope_set::parse(value))
            out.add(token);
    // servers whose tokens have no scopes send an empty string: that says nothing
    if (out.empty())
        return std::nullopt;
    return out;
}

std::string spelled(const std::string& type) {
    if (type.empty())
        return "Bearer";
    for (const char* known : {"Bearer", "DPoP", "N_A"})
        if (iequals(type, known))
            return known;
    return type;
}

} // namespace

bool sendable_token(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

result<token_response> read_token_response(const http_response& answer, const sent_secrets& sent) {
    const auto document = document_of(answer);
    const bool good = document && answer.status >= 200 && answer.status <= 299;
    if (document)
        if (const auto word = error_word(*document);
            !word.empty() &&
            (json_string(*document, "error") == word || standard_error(word) == "invalid_grant"))
            return oauth_failure(answer, *document, word, sent);
    if (!good)
        return no_oauth_answer(answer, document, sent);
    token_response out;
    out.access_token = secret{json_string(*document, "access_token")};
    out.refresh_token = secret{json_string(*document, "refresh_token")};
    out.id_token = secret{json_string(*document, "id_token")};
    if (out.access_token.empty())
        return without_token(answer, *document, sent);
    if (!sendable_token(out.access_token.reveal()) || !sendable_token(out.id_token.reveal()))
        return failure::permanent(
            fault::reauth_failed,
            "the token endpoint answered a token with characters that no token may have",
            "the authorization server's operator must repair it (RFC 6749 appendix A)");
    out.token_type = spelled(json_string(*document, "token_type"));
    if (const auto life = json_integer(*document, "expires_in"); life && *life > 0)
        out.expires_in = std::min<std::chrono::seconds>(std::chrono::seconds{*life}, longest_life);
    out.scope = scope_of(*document);
    out.issued_token_type = json_string(*document, "issued_token_type");
    return out;
}

result<pushed_response> read_pushed_response(const http_response& answer, const sent_secrets& sent) {
    const auto document = document_of(answer);
    const bool good = document && answer.status >= 200 && answer.status <= 299;
    pushed_response out;
    if (good)
        out.request_uri = json_string(*document, "request_uri");
    if (!out.request_uri.empty()) {
        if (const auto life = json_integer(*document, "expires_in"); life && *life > 0)
            out.expires_in = std::min<std::chrono::seconds>(std::chrono::seconds{*life}, longest_life);
        return out;
    }
    auto why = read_token_response(answer, sent);
    auto f = why ? without_token(answer, document.value_or(json::object()), sent) : why.error();
    f.message = "the pushed authorization request was refused: " + f.message;
    return f;
}

bool wants_dpop_nonce(const http_response& answer) {
    if (answer.status != 400 && answer.status != 401)
        return false;
    const auto document = parse_json_object(answer.body);
    return document && json_string(*document, "error") == "use_dpop_nonce" &&
           answer.header("DPoP-Nonce").has_value();
}

result<secret> id_jag_of(const token_response& response) {
    if (response.issued_token_type != token_type_id_jag || response.token_type != "N_A")
        return failure::permanent(
            fault::reauth_failed,
            "the identity provider answered a " + clean_text(response.issued_token_type) + " of type " +
                clean_text(response.token_type, 64) + " where an ID-JAG of type N_A was asked for",
            "the identity provider must support identity assertion authorization grants");
    return response.access_token;
}

} // namespace reauth
