// Validation of discovery documents.
#include "core/oauth/metadata.hpp"

#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

namespace {

failure refuse_document(std::string message, std::string fix) {
    return failure::permanent(fault::discovery_failed, std::move(message), std::move(fix));
}

/// Whatever answers there, it is not the document: what was known stays in force.
failure no_document(std::string message, std::string fix) {
    return failure::passing(fault::discovery_failed, std::move(message), std::move(fix));
}

std::optional<scope_set> scopes_of(const nlohmann::json& document, const char* name) {
    const auto values = json_strings(document, name);
    if (!values)
        return std::nullopt;
    scope_set out;
    for (const auto& value : *values)
        // one string with spaces instead of an array is a common slip
        for (const auto& token : scope_set::parse(value))
            out.add(token);
    return out;
}

} // namespace

result<protected_resource> read_protected_resource(std::string_view body, std::string_view upstream_url,
                                                   std::string_view stated) {
    const auto document = parse_json_object(body);
    if (!document)
        return no_document("the protected resource metadata is not a JSON object of at most 256 KiB",
                           "the upstream's operator must repair it (RFC 9728)");
    protected_resource out;
    out.resource = json_string(*document, "resource");
    if (out.resource.empty())
        return no_document("the protected resource metadata has no `resource`",
                           "the upstream's operator must add it (RFC 9728 §2)");
    if (out.resource != stated && !resource_covers(out.resource, upstream_url))
        return refuse_document("the protected resource metadata is about " + clean_text(out.resource) +
                                   ", not about " + clean_text(upstream_url),
                               "set the upstream's `url` to the resource that the metadata names; if this is "
                               "another address of the same "
                               "server, add the line: resource: \"" +
                                   clean_text(out.resource) +
                                   "\"; else have its operator repair the metadata (RFC 9728 §3.3)");
    out.authorization_servers =
        json_strings(*document, "authorization_servers").value_or(std::vector<std::string>{});
    std::erase(out.authorization_servers, std::string());
    out.scopes_supported = scopes_of(*document, "scopes_supported");
    out.resource_name = json_string(*document, "resource_name");
    out.dpop_bound_access_tokens_required = json_bool(*document, "dpop_bound_access_tokens_required");
    out.dpop_signing_alg_values_supported =
        json_strings(*document, "dpop_signing_alg_values_supported").value_or(std::vector<std::string>{});
    return out;
}

bool lists(const std::vector<std::string>& values, std::string_view value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

bool authorization_server::pkce_s256() const {
    if (!from_document)
        return true;
    return code_challenge_methods_supported && lists(*code_challenge_methods_supported, "S256");
}

bool authorization_server::offers_offline_access() const {
    return scopes_supported && scopes_supported->contains("offline_access");
}

bool authorization_server::may_support_grant(std::string_view grant_type) const {
    return !grant_types_supported || lists(*grant_types_supported, grant_type);
}

bool authorization_server::offers_id_jag() const {
    return lists(authorization_grant_profiles_supported, "urn:ietf:params:oauth:grant-profile:id-jag");
}

failure authorization_server::without(std::string_view endpoint) const {
    std::string message = "the authorization server ";
    message += clean_text(issuer);
    for (const auto& [name, why] : ignored) {
        if (name != endpoint)
            continue;
        message.append(" names no usable ").append(name).append(": ").append(why);
        return refuse_document(std::move(message), "its operator must repair its metadata (RFC 8414 §2)");
    }
    message.append(" names no ").append(endpoint);
    return refuse_document(std::move(message), "its operator must add it to its metadata (RFC 8414 §2)");
}

bool authorization_server::offers_dpop() const {
    return dpop_signing_alg_values_supported && lists(*dpop_signing_alg_values_supported, "ES256");
}

result<authorization_server> read_authorization_server(std::string_view body, std::string_view issuer,
                                                       plain_http http) {
    const auto document = parse_json_object(body);
    if (!document)
        return no_document("the authorization server metadata of " + clean_text(issuer) +
                               " is not a JSON object of at most 256 KiB",
                           "its operator must repair it (RFC 8414)");
    authorization_server out;
    out.issuer = json_string(*document, "issuer");
    if (out.issuer != issuer)
        return refuse_document("the authorization server metadata names the issuer " +
                                   clean_text(out.issuer) + ", but was asked for " + clean_text(issuer),
                               "the strings must be equal byte for byte, the trailing slash included (RFC "
                               "8414 §3.3); if it is the same "
                               "server, add to the upstream the line: client: {issuer: \"" +
                                   clean_text(out.issuer) + "\"}");
    for (const auto& [name, member] : endpoint_names) {
        auto* endpoint = &(out.*member);
        *endpoint = json_string(*document, name);
        if (endpoint == &out.authorization_endpoint)
            endpoint->resize(std::min(endpoint->size(), endpoint->find('#')));
        if (endpoint->empty())
            continue;
        if (auto url = parse_secure_url(*endpoint, name, http); !url) {
            out.ignored.emplace_back(name, url.error().message + " (" + clean_text(*endpoint, 80) + ")");
            endpoint->clear();
        }
    }
    out.scopes_supported = scopes_of(*document, "scopes_supported");
    out.code_challenge_methods_supported = json_strings(*document, "code_challenge_methods_supported");
    out.token_endpoint_auth_methods_supported =
        json_strings(*document, "token_endpoint_auth_methods_supported");
    out.token_endpoint_auth_signing_alg_values_supported =
        json_strings(*document, "token_endpoint_auth_signing_alg_values_supported");
    out.grant_types_supported = json_strings(*document, "grant_types_supported");
    out.dpop_signing_alg_values_supported = json_strings(*document, "dpop_signing_alg_values_supported");
    out.id_token_signing_alg_values_supported =
        json_strings(*document, "id_token_signing_alg_values_supported");
    out.authorization_grant_profiles_supported =
        json_strings(*document, "authorization_grant_profiles_supported")
            .value_or(authorization_server::list{});
    out.authorization_response_iss_parameter_supported =
        json_bool(*document, "authorization_response_iss_parameter_supported");
    out.client_id_metadata_document_supported = json_bool(*document, "client_id_metadata_document_supported");
    out.require_pushed_authorization_requests = json_bool(*document, "require_pushed_authorization_requests");
    out.require_signed_request_object = json_bool(*document, "require_signed_request_object");
    out.response_types_supported = json_strings(*document, "response_types_supported");
    out.response_modes_supported = json_strings(*document, "response_modes_supported");
    out.prompt_values_supported = json_strings(*document, "prompt_values_supported");
    return out;
}

result<authorization_server> read_origin_authorization_server(std::string_view body,
                                                              std::string_view upstream_url) {
    const std::string origin = origin_of(upstream_url);
    const auto document = parse_json_object(body);
    const bool slash = document && json_string(*document, "issuer") == origin + "/";
    return read_authorization_server(body, slash ? origin + "/" : origin);
}

result<authorization_server> default_authorization_server(std::string_view upstream_url, plain_http http) {
    const auto url = parse_secure_url(upstream_url, "the upstream's URL", http);
    if (!url)
        return url.error();
    authorization_server out;
    out.issuer = url->origin();
    out.authorization_endpoint = out.issuer + "/authorize";
    out.token_endpoint = out.issuer + "/token";
    out.registration_endpoint = out.issuer + "/register";
    out.from_document = false;
    return out;
}

bool is_entra(std::string_view issuer) {
    const auto host = host_of(issuer);
    const std::string_view theirs[] = {"login.microsoftonline.com", "login.microsoftonline.us",
                                       "sts.windows.net", "login.partner.microsoftonline.cn"};
    return std::find(std::begin(theirs), std::end(theirs), host) != std::end(theirs) ||
           host.ends_with(".ciamlogin.com");
}

result<void> check_front_channel(const authorization_server& server, bool may_push) {
    const auto cannot = [&](const std::string& what) {
        return refuse_document(
            "the authorization server " + clean_text(server.issuer) + " " + what +
                ", so no login in a browser can end well here",
            "its operator must allow it for this client, or use another grant for this upstream "
            "(client_credentials, enterprise, jwt_bearer, static)");
    };
    if (server.require_signed_request_object)
        return cannot("requires signed request objects (RFC 9101), which mcp-reauth does not make");
    if (server.response_types_supported && !lists(*server.response_types_supported, "code"))
        return cannot("does not offer the response type code");
    if (server.response_modes_supported && !lists(*server.response_modes_supported, "query"))
        return cannot("answers in no query (response_modes_supported)");
    if (server.require_pushed_authorization_requests && !may_push)
        return failure::permanent(
            fault::discovery_failed,
            "the authorization server " + clean_text(server.issuer) +
                " requires pushed authorization requests (RFC 9126), and `par: never` is set",
            "set `par: auto` for this upstream");
    if (server.require_pushed_authorization_requests && server.pushed_authorization_request_endpoint.empty())
        return server.without("pushed_authorization_request_endpoint");
    return {};
}

result<void> check_pkce(const authorization_server& server, bool allow_missing_pkce) {
    if (server.pkce_s256() || allow_missing_pkce)
        return {};
    return refuse_document(
        "the authorization server " + clean_text(server.issuer) +
            " does not list S256 in code_challenge_methods_supported, so an authorization code could be "
            "stolen",
        "its operator must enable PKCE; to go without, set `allow_missing_pkce: true` for this upstream");
}

scope_set select_scopes(const std::optional<scope_set>& configured, const std::optional<scope_set>& challenge,
                        const std::optional<scope_set>& resource_scopes, const authorization_server& server) {
    scope_set out;
    for (const auto* source : {&configured, &challenge, &resource_scopes}) {
        if (*source) {
            out = **source;
            break;
        }
    }
    if (!out.empty() && server.offers_offline_access())
        out.add("offline_access");
    return out;
}

} // namespace reauth
