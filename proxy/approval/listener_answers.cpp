// Answers of the approval listener: security headers, JSON, statuses.
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/listener_impl.hpp"

#include "core/crypto/digest.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

namespace reauth {

service_response guarded(service_response response, const std::string& form_targets) {
    const auto add = [&](std::string name, std::string value) {
        response.headers.push_back({std::move(name), std::move(value)});
    };
    add("Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'" +
            (form_targets.empty() ? "" : " " + form_targets) +
            "; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'");
    add("X-Frame-Options", "DENY");
    add("X-Content-Type-Options", "nosniff");
    add("Referrer-Policy", "same-origin");
    add("Cache-Control", "no-store");
    add("Cross-Origin-Opener-Policy", "same-origin");
    add("Cross-Origin-Resource-Policy", "same-origin");
    return response;
}

service_response json_answer(unsigned status, const nlohmann::json& body) {
    service_response r{status, {{"Content-Type", "application/json"}}, to_text(body) + "\n"};
    if (status == 401)
        r.headers.push_back({"WWW-Authenticate", "Bearer realm=\"mcp-reauth operator\""});
    return guarded(std::move(r));
}

service_response method_not_allowed(std::string_view allowed) {
    auto r = json_answer(405, {{"error", "method_not_allowed"},
                               {"message", "This method is not served here."},
                               {"fix", "Use " + std::string(allowed) + "."}});
    r.headers.push_back({"Allow", std::string(allowed)});
    return r;
}

unsigned status_of(const failure& f) {
    switch (f.code) {
    case fault::approval_required:
    case fault::approval_denied:
    case fault::denied_by_policy:
        return 403;
    case fault::invalid_configuration:
        return 400;
    case fault::authorization_server_unavailable:
    case fault::overloaded:
    case fault::vault_unavailable:
    case fault::audit_unavailable:
        return 503;
    case fault::internal:
        return 500;
    default:
        return 502;
    }
}

std::optional<failure> unsafe_location(const std::string& location) {
    const auto url = parse_http_url(location, "authorization URL");
    if (url)
        return {};
    return failure::permanent(
        fault::discovery_failed,
        "the provider's sign-in address is not a usable http(s) URL, so no browser is sent there",
        "check authorization_endpoint in the provider's metadata");
}

std::string binding_cookie_name(const std::string& state) {
    return std::string(binding_cookie_prefix) + hex_encode(sha256(state)).substr(0, 16);
}

} // namespace reauth
