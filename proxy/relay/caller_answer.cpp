// Challenges, and the document that they point to.
#include "proxy/relay/caller_answer.hpp"

#include "core/json/json_reader.hpp"
#include "core/text/ascii.hpp"
#include "core/text/uri.hpp"
#include "proxy/relay/local_answer.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

constexpr std::string_view well_known = "/.well-known/oauth-protected-resource";
constexpr std::chrono::seconds keys_may_be_back{5};

/// As the client sees us: an audience that is a URL of this very host knows the scheme that a gateway in
/// front has taken away.
std::string origin_here(const config& settings, std::string_view host) {
    for (const auto& e : settings.client_auth)
        for (const auto& a : e.jwt.audience)
            if (const auto url = parse_http_url(a); url && iequals(url->authority(), host))
                return origin_of(a);
    return (settings.tls ? "https://" : "http://") + std::string(host);
}

/// An audience that covers it, else the URL itself (RFC 9728 section 3.3).
std::string resource_of(const config& settings, const std::string& origin, std::string_view path) {
    auto url = origin + std::string(path);
    for (const auto& e : settings.client_auth)
        for (const auto& a : e.jwt.audience)
            if (parse_http_url(a) && resource_covers(a, url))
                return a;
    return url;
}

scope_set demanded(const config& settings) {
    scope_set all;
    for (const auto& e : settings.client_auth)
        all = all.united_with(e.jwt.scopes);
    return all;
}

std::string challenge_for(const config& settings, std::string_view host, std::string_view target,
                          const caller_check& refused) {
    auto path = target.substr(0, target.find('?'));
    if (path == "/")
        path = {};
    std::string out = "Bearer ";
    if (refused.why) {
        const bool scope = *refused.why == token_fault::scope;
        out += scope ? "error=\"insufficient_scope\"" : "error=\"invalid_token\"";
        out += ", error_description=\"" + std::string(to_string(*refused.why)) + "\", ";
    }
    if (const auto scopes = demanded(settings); !scopes.empty())
        out += "scope=\"" + scopes.to_string() + "\", ";
    // both were checked: Host names us, and a path has no quotes
    std::string plain;
    for (const char c : path)
        if (c != '"' && c != '\\')
            plain += c;
    out += "resource_metadata=\"" + origin_here(settings, host) + std::string(well_known) + plain + "\"";
    return out;
}

std::string error_body(std::string_view code, std::string_view message) {
    nlohmann::ordered_json b;
    b["error"]["code"] = code;
    b["error"]["message"] = message;
    return json_text(b);
}

} // namespace

bool protected_resource_path(std::string_view target, std::string_view& path) noexcept {
    path = target.substr(0, target.find('?'));
    if (!path.starts_with(well_known))
        return false;
    path.remove_prefix(well_known.size());
    while (path.ends_with('/'))
        path.remove_suffix(1);
    return path.empty() || path.front() == '/';
}

std::string protected_resource(const config& settings, std::string_view host, std::string_view path) {
    nlohmann::ordered_json out;
    out["resource"] = resource_of(settings, origin_here(settings, host), path);
    out["authorization_servers"] = nlohmann::json::array();
    for (const auto& e : settings.client_auth)
        if (e.proof == caller_proof::jwt)
            out["authorization_servers"].push_back(e.jwt.issuer);
    if (const auto scopes = demanded(settings); !scopes.empty())
        out["scopes_supported"] = scopes.tokens();
    out["bearer_methods_supported"] = {"header"};
    return json_text(out);
}

void append_caller_refusal(std::string& out, const config& settings, std::string_view host,
                           std::string_view target, const caller_check& refused, bool close, bool head_only) {
    if (refused.is == caller_check::kind::unavailable) {
        append_answer(
            out, 503,
            error_body("authorization_server_unavailable",
                       "the keys of the identity provider that signs callers' tokens can't be read now"),
            close, head_only, keys_may_be_back);
        return;
    }
    if (!takes(settings.client_auth, caller_proof::jwt)) {
        append_refusal(
            out, 403,
            "client authentication failed: send `Authorization: Bearer` with a token of client_auth, or "
            "what else client_auth asks for",
            close, head_only);
        return;
    }
    const bool scope = refused.why == token_fault::scope;
    const auto message =
        refused.why
            ? "the token is refused: " + std::string(to_string(*refused.why))
            : std::string("sign in to the company first: a token of its identity provider is missing");
    append_challenge(out, scope ? 403 : 401, {challenge_for(settings, host, target, refused)},
                     error_body(scope ? "insufficient_scope" : "invalid_token", message), close, head_only);
}

void append_too_many(std::string& out, std::string_view principal, bool close, bool head_only) {
    append_answer(out, 429,
                  error_body("overloaded", "too many requests of principal " + std::string(principal) +
                                               " are in progress: limits.requests_per_principal"),
                  close, head_only, std::chrono::seconds(1));
}

} // namespace reauth
