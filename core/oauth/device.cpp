// The two requests of a device login, and when the second is asked again.
#include "core/oauth/device.hpp"

#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

namespace {

constexpr std::chrono::seconds slowest{60};

failure unusable_code(std::string why) {
    return failure::permanent(
        fault::reauth_failed, "the device authorization endpoint " + std::move(why),
        "set `login: browser` for the upstream, or have the server's operator repair it (RFC 8628 §3.2)");
}

std::chrono::seconds seconds_of(const nlohmann::json& document, const char* name, std::chrono::seconds usual,
                                std::chrono::seconds most) {
    const auto value = json_integer(document, name);
    return value && *value > 0 ? std::min(std::chrono::seconds{*value}, most) : usual;
}

} // namespace

result<http_request> device_authorization_request(const token_call& call, const scope_set& scope,
                                                  std::string_view resource) {
    if (call.server.device_authorization_endpoint.empty()) {
        auto f = call.server.without("device_authorization_endpoint");
        f.fix = "sign in with a browser instead (`login: browser`)";
        return f;
    }
    form_body form;
    form.add_if("scope", scope.to_string()).add_if("resource", resource);
    return post_form(call, call.server.device_authorization_endpoint, "device_authorization_endpoint",
                     std::move(form));
}

result<device_authorization> read_device_authorization(const http_response& answer, const sent_secrets& sent,
                                                       plain_http http) {
    const auto document = parse_json_object(answer.body);
    const bool good =
        document && answer.status >= 200 && answer.status < 300 && error_word(*document).empty();
    if (!good) {
        auto refused = read_token_response(answer, sent);
        failure f = refused ? unusable_code("answered a token") : refused.error();
        const std::string_view other = "the token endpoint";
        if (f.message.starts_with(other))
            f.message = "the device authorization endpoint" + f.message.substr(other.size());
        if (f.oauth_error == "unauthorized_client")
            f.fix = "have the client allowed to use the device grant, or set `login: browser`";
        return f;
    }
    device_authorization out;
    out.device_code = secret{json_string(*document, "device_code")};
    out.user_code = clean_text(json_string(*document, "user_code"), 40);
    out.verification_uri = json_string(*document, "verification_uri");
    if (out.verification_uri.empty())
        out.verification_uri = json_string(*document, "verification_url"); // Google's spelling
    out.verification_uri_complete = json_string(*document, "verification_uri_complete");
    if (out.device_code.empty() || out.user_code.empty() || out.verification_uri.empty())
        return unusable_code("answered without device_code, user_code or verification_uri: " +
                             words_of(answer, document, sent));
    if (auto url = parse_secure_url(out.verification_uri, "verification_uri", http); !url)
        return unusable_code("sends people to an address that is not safe: " + url.error().message);
    if (!parse_secure_url(out.verification_uri_complete, "verification_uri_complete", http))
        out.verification_uri_complete.clear();
    out.expires_in = seconds_of(*document, "expires_in", std::chrono::seconds(600), std::chrono::hours(24));
    out.interval = seconds_of(*document, "interval", std::chrono::seconds(5), slowest);
    return out;
}

result<http_request> device_token_request(const token_call& call, const secret& device_code,
                                          std::string_view resource) {
    form_body form;
    form.add("grant_type", grant_device_code).add("device_code", device_code).add_if("resource", resource);
    return post_form(call, call.server.token_endpoint, "token_endpoint", std::move(form));
}

std::optional<std::chrono::seconds> ask_device_again(const result<token_response>& outcome,
                                                     std::chrono::seconds interval) {
    if (outcome)
        return std::nullopt;
    const auto& why = outcome.error();
    if (why.oauth_error == "authorization_pending")
        return interval;
    if (why.oauth_error == "slow_down")
        return std::min(interval + std::chrono::seconds(5), slowest);
    if (why.transient) // §3.5: on a connection timeout less often, exponentially
        return std::min(interval * 2, slowest);
    return std::nullopt;
}

} // namespace reauth
