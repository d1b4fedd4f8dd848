// Written and read back, member by member.
#include "core/oauth/metadata_json.hpp"

#include "core/json/json_fields.hpp"

#include <array>
#include <utility>

namespace reauth {

namespace {

using json = nlohmann::json;
using list_member = std::pair<const char*, std::optional<authorization_server::list> authorization_server::*>;
using flag_member = std::pair<const char*, bool authorization_server::*>;
using server = authorization_server;

constexpr std::array<list_member, 9> lists_kept{
    {{"code_challenge_methods", &server::code_challenge_methods_supported},
     {"auth_methods", &server::token_endpoint_auth_methods_supported},
     {"auth_signing_algs", &server::token_endpoint_auth_signing_alg_values_supported},
     {"grant_types", &server::grant_types_supported},
     {"dpop_algs", &server::dpop_signing_alg_values_supported},
     {"id_token_algs", &server::id_token_signing_alg_values_supported},
     {"response_types", &server::response_types_supported},
     {"response_modes", &server::response_modes_supported},
     {"prompts", &server::prompt_values_supported}}};
constexpr std::array<flag_member, 5> flags{
    {{"iss_required", &server::authorization_response_iss_parameter_supported},
     {"client_metadata_documents", &server::client_id_metadata_document_supported},
     {"par_required", &server::require_pushed_authorization_requests},
     {"signed_requests", &server::require_signed_request_object},
     {"from_document", &server::from_document}}};

void put_scopes(json& out, const char* name, const std::optional<scope_set>& scopes) {
    if (scopes)
        out[name] = scopes->tokens();
}

std::optional<scope_set> scopes_in(const json& stored, const char* name) {
    const auto tokens = json_strings(stored, name);
    if (!tokens)
        return std::nullopt;
    scope_set out;
    for (const auto& token : *tokens)
        out.add(token);
    return out;
}

} // namespace

json server_to_json(const authorization_server& s) {
    json out = json::object();
    if (!s.issuer.empty())
        out["issuer"] = s.issuer;
    for (const auto& [name, member] : endpoint_names)
        if (!(s.*member).empty())
            out[name] = s.*member;
    for (const auto& [name, member] : lists_kept)
        if (s.*member)
            out[name] = *(s.*member);
    for (const auto& [name, member] : flags)
        out[name] = s.*member;
    put_scopes(out, "scopes", s.scopes_supported);
    if (!s.authorization_grant_profiles_supported.empty())
        out["grant_profiles"] = s.authorization_grant_profiles_supported;
    return out;
}

authorization_server server_from_json(const json& stored) {
    authorization_server s;
    s.issuer = json_string(stored, "issuer");
    for (const auto& [name, member] : endpoint_names)
        s.*member = json_string(stored, name);
    for (const auto& [name, member] : lists_kept)
        s.*member = json_strings(stored, name);
    for (const auto& [name, member] : flags)
        if (stored.contains(name))
            s.*member = json_bool(stored, name);
    s.scopes_supported = scopes_in(stored, "scopes");
    s.authorization_grant_profiles_supported =
        json_strings(stored, "grant_profiles").value_or(authorization_server::list{});
    return s;
}

json known_server_to_json(const known_server& known) {
    json out{{"server", server_to_json(known.server)}, {"resource_metadata", known.resource_metadata}};
    if (const auto& r = known.resource) {
        json resource{{"resource", r->resource},
                      {"authorization_servers", r->authorization_servers},
                      {"dpop_required", r->dpop_bound_access_tokens_required},
                      {"dpop_algs", r->dpop_signing_alg_values_supported}};
        put_scopes(resource, "scopes", r->scopes_supported);
        out["resource"] = std::move(resource);
    }
    return out;
}

std::optional<known_server> known_server_from_json(const json& stored) {
    const auto server = stored.find("server");
    if (!stored.is_object() || server == stored.end() || !server->is_object())
        return std::nullopt;
    known_server known;
    known.server = server_from_json(*server);
    known.resource_metadata = json_string(stored, "resource_metadata");
    if (known.server.issuer.empty() || known.server.token_endpoint.empty())
        return std::nullopt;
    if (const auto r = stored.find("resource"); r != stored.end() && r->is_object()) {
        using list = std::vector<std::string>;
        protected_resource resource;
        resource.resource = json_string(*r, "resource");
        resource.authorization_servers = json_strings(*r, "authorization_servers").value_or(list{});
        resource.scopes_supported = scopes_in(*r, "scopes");
        resource.dpop_bound_access_tokens_required = json_bool(*r, "dpop_required");
        resource.dpop_signing_alg_values_supported = json_strings(*r, "dpop_algs").value_or(list{});
        known.resource = std::move(resource);
    }
    return known;
}

} // namespace reauth
