// RFC 7591 requests and answers.
#include "core/oauth/registration.hpp"

#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/oauth/device.hpp"
#include "core/oauth/foreign_text.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

namespace {

using json = nlohmann::json;

constexpr std::string_view preregister =
    "register a client by hand and set `client.id`, or set `client_metadata_url` if the server supports it";

failure refused(const http_response& answer, const std::optional<json>& document, const std::string& issuer) {
    failure f;
    f.message = "registration at " + clean_text(issuer) + " failed with status " +
                std::to_string(answer.status) + ": " + words_of(answer, document, {});
    if (document)
        f.oauth_error = clean_text(json_string(*document, "error"), 64);
    f.transient = may_work_later(answer.status);
    f.code = f.transient ? fault::authorization_server_unavailable : fault::reauth_failed;
    const auto after = answer.header("Retry-After").value_or("");
    const bool seconds =
        !after.empty() && after.size() < 7 && after.find_first_not_of("0123456789") == after.npos;
    f.fix = !f.transient ? std::string(preregister)
            : seconds    ? "try again in " + std::string(after) + " s"
                         : "try again later";
    return f;
}

/// How a secret is sent that came with `none`, or with no word: who gives one wants it back, unless its
/// metadata has no way for that.
client_auth_method way_for_secret(const authorization_server& server, bool said_none) {
    using enum client_auth_method;
    const auto& listed = server.token_endpoint_auth_methods_supported;
    if (!listed)
        return said_none ? client_secret_post : client_secret_basic;
    for (const auto method : {client_secret_post, client_secret_basic})
        if (lists(*listed, to_string(method)))
            return method;
    return none;
}

// What the AS says; where it says nothing, what it gave (RFC 7591 §3.2.1 has it say everything, but some do
// not).
result<client_auth_method> answered_method(const json& document, bool has_secret,
                                           const authorization_server& server) {
    const auto named = json_string(document, "token_endpoint_auth_method");
    if (named.empty() || named == to_string(client_auth_method::none))
        return has_secret ? way_for_secret(server, !named.empty()) : client_auth_method::none;
    const auto method = client_auth_method_from(named);
    if (!method || *method == client_auth_method::private_key_jwt)
        return failure::permanent(fault::reauth_failed,
                                  "the authorization server registered us with the authentication method " +
                                      clean_text(named) + ", which was not asked for",
                                  std::string(preregister));
    if (!has_secret)
        return failure::permanent(fault::reauth_failed,
                                  "the authorization server registered us with " + named +
                                      " but gave no client_secret",
                                  std::string(preregister));
    return *method;
}

} // namespace

std::string_view to_string(client_origin o) noexcept {
    switch (o) {
    case client_origin::pre_registered:
        break;
    case client_origin::metadata_document:
        return "metadata_document";
    case client_origin::dynamic:
        return "dynamic";
    }
    return "pre_registered";
}

client_auth_method registration_auth_method(const authorization_server& server) {
    using enum client_auth_method;
    const auto& listed = server.token_endpoint_auth_methods_supported;
    if (!listed)
        return server.from_document ? client_secret_basic : none;
    for (const auto method : {none, client_secret_basic, client_secret_post})
        if (lists(*listed, to_string(method)))
            return method;
    return none;
}

std::string client_metadata_document(const std::string& url, const std::vector<std::string>& redirect_uris,
                                     bool device) {
    json grants = {"authorization_code", "refresh_token"};
    if (device)
        grants.push_back(grant_device_code);
    return json_text(json{{"client_id", url},
                          {"client_name", registration_request().client_name},
                          {"application_type", "web"},
                          {"redirect_uris", redirect_uris},
                          {"grant_types", grants},
                          {"response_types", {"code"}},
                          {"token_endpoint_auth_method", "none"}},
                     2);
}

result<http_request> build_registration(const authorization_server& server,
                                        const registration_request& wanted) {
    if (server.registration_endpoint.empty())
        return failure::permanent(fault::discovery_failed,
                                  "the authorization server " + clean_text(server.issuer) +
                                      " offers no dynamic registration",
                                  std::string(preregister));
    json body = {{"client_name", wanted.client_name},
                 {"application_type", wanted.loopback_redirect ? "native" : "web"},
                 {"grant_types", wanted.grant_types},
                 {"token_endpoint_auth_method", to_string(registration_auth_method(server))}};
    if (!wanted.redirect_uri.empty()) {
        body["redirect_uris"] = json::array({wanted.redirect_uri});
        body["response_types"] = json::array({"code"});
    }
    if (!wanted.scope.empty())
        body["scope"] = wanted.scope.to_string();
    http_request out;
    out.method = "POST";
    out.url = server.registration_endpoint;
    out.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    out.body = secret{json_text(body)};
    return out;
}

namespace {

/// Of a loopback address any port will do (RFC 8252 section 7.3), and some servers leave it away.
bool same_redirect(const std::string& theirs, const std::string& ours) {
    if (theirs == ours)
        return true;
    const auto a = parse_http_url(theirs), b = parse_http_url(ours);
    return a && b && a->loopback() && b->loopback() && a->host == b->host && a->path == b->path;
}

std::string other_redirect(const std::string& theirs, const std::string& ours) {
    const auto a = parse_http_url(theirs), b = parse_http_url(ours);
    if (a && b && a->host == b->host && a->path != b->path)
        return "if that path is fixed there, set `callback_path: " + clean_text(a->path, 100) +
               "` for the upstream";
    return std::string(preregister);
}

} // namespace

result<registered_client> read_registration(const http_response& answer, const authorization_server& server,
                                            const registration_request& wanted) {
    const auto document = parse_json_object(answer.body);
    if (answer.status < 200 || answer.status > 299 || !document)
        return refused(answer, document, server.issuer);
    registered_client out;
    out.origin = client_origin::dynamic;
    out.issuer = server.issuer;
    out.redirect_uri = wanted.redirect_uri;
    out.scope = wanted.scope;
    out.identity.id = json_string(*document, "client_id");
    if (out.identity.id.empty())
        return refused(answer, document, server.issuer);
    const auto redirects = json_strings(*document, "redirect_uris");
    if (redirects && !redirects->empty() && !wanted.redirect_uri.empty() &&
        std::none_of(redirects->begin(), redirects->end(),
                     [&](const auto& theirs) { return same_redirect(theirs, wanted.redirect_uri); }))
        return failure::permanent(fault::reauth_failed,
                                  "the authorization server " + clean_text(server.issuer) + " registered " +
                                      clean_text(redirects->front()) + " in place of our redirect URI " +
                                      wanted.redirect_uri,
                                  other_redirect(redirects->front(), wanted.redirect_uri));
    out.identity.client_secret = secret{json_string(*document, "client_secret")};
    const bool has_secret = !out.identity.client_secret.empty();
    const auto method = answered_method(*document, has_secret, server);
    if (!method)
        return method.error();
    out.identity.method = *method;
    // 0 is never (RFC 7591 §3.2.1)
    if (has_secret && json_integer(*document, "client_secret_expires_at").value_or(0) > 0)
        out.secret_expires_at = json_time(*document, "client_secret_expires_at");
    return out;
}

registered_client metadata_document_client(std::string_view issuer, std::string_view document_url,
                                           std::string_view redirect_uri) {
    registered_client out;
    out.identity.id = document_url;
    out.origin = client_origin::metadata_document;
    out.issuer = issuer;
    out.redirect_uri = redirect_uri;
    return out;
}

secret registered_client_to_json(const registered_client& client) {
    json out = {{"client_id", client.identity.id},
                {"client_secret", client.identity.client_secret.reveal()},
                {"private_key", client.identity.private_key.reveal()},
                {"alg", client.identity.alg},
                {"key_id", client.identity.key_id},
                {"auth_method", to_string(client.identity.method)},
                {"origin", to_string(client.origin)},
                {"issuer", client.issuer},
                {"redirect_uri", client.redirect_uri}};
    const auto put = [&](const char* name, const std::optional<time_point>& t) {
        if (t)
            out[name] = std::chrono::duration_cast<std::chrono::seconds>(t->time_since_epoch()).count();
    };
    put("secret_expires_at", client.secret_expires_at);
    put("registered_at", client.registered_at);
    if (client.retired)
        out["retired"] = true;
    if (!client.scope.empty())
        out["scope"] = client.scope.to_string();
    return secret{json_text(out)};
}

result<registered_client> registered_client_from_json(const secret& text) {
    const auto document = parse_json_object(text.reveal());
    const auto method =
        client_auth_method_from(document ? json_string(*document, "auth_method") : std::string{});
    if (!document || !method || json_string(*document, "client_id").empty())
        return failure::permanent(fault::vault_unavailable, "a stored client registration cannot be read",
                                  "log out of the upstream and log in again");
    registered_client out;
    out.identity.id = json_string(*document, "client_id");
    out.identity.method = *method;
    out.identity.client_secret = secret{json_string(*document, "client_secret")};
    out.identity.private_key = secret{json_string(*document, "private_key")};
    out.identity.alg = json_string(*document, "alg");
    out.identity.key_id = json_string(*document, "key_id");
    const auto origin = json_string(*document, "origin");
    for (const auto o : {client_origin::metadata_document, client_origin::dynamic})
        if (origin == to_string(o))
            out.origin = o;
    out.issuer = json_string(*document, "issuer");
    out.redirect_uri = json_string(*document, "redirect_uri");
    out.secret_expires_at = json_time(*document, "secret_expires_at");
    out.registered_at = json_time(*document, "registered_at");
    out.retired = json_bool(*document, "retired");
    out.scope = scope_set::parse(json_string(*document, "scope"));
    return out;
}

} // namespace reauth
