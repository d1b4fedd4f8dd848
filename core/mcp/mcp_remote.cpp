// Keys are MD5 over the arguments; tokens are the SDK's, with a time of expiry.
#include "core/mcp/mcp_remote.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/oauth/token.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

failure unusable_login(const std::string& why) {
    return failure::permanent(fault::invalid_configuration, "what mcp-remote keeps can't be read: " + why);
}

std::string key_of(const std::string& url, const mcp_remote_arguments& a) {
    auto text = url;
    if (!a.resource.empty())
        text += "|" + a.resource;
    if (!a.authorize_params.empty())
        text += "|" + json_text(nlohmann::json(a.authorize_params));
    if (!a.headers.empty())
        text += "|" + json_text(nlohmann::json(a.headers)); // sorted, compact: as JSON.stringify writes it
    if (!a.client_metadata_url.empty())
        text += "|" + a.client_metadata_url;
    if (!a.token_endpoint.empty())
        text += "|" + a.token_endpoint;
    return hex_encode(md5(text));
}

result<registered_client> client_of(const nlohmann::json& in, const std::string& issuer) {
    registered_client c;
    c.origin = client_origin::dynamic;
    c.issuer = issuer;
    c.identity.id = json_string(in, "client_id");
    c.identity.client_secret = secret(json_string(in, "client_secret"));
    const auto redirects = json_strings(in, "redirect_uris");
    if (redirects && !redirects->empty())
        c.redirect_uri = redirects->front();
    if (const auto ends = json_time(in, "client_secret_expires_at");
        ends && json_integer(in, "client_secret_expires_at") != 0)
        c.secret_expires_at = *ends;
    c.registered_at = json_time(in, "client_id_issued_at");
    if (c.identity.id.empty())
        return unusable_login("its client has no client_id");
    const auto said = client_auth_method_from(json_string(in, "token_endpoint_auth_method"));
    if (c.identity.client_secret.empty())
        c.identity.method = client_auth_method::none;
    else
        c.identity.method =
            said && *said != client_auth_method::none ? *said : client_auth_method::client_secret_basic;
    return c;
}

} // namespace

bool add_remote_header(mcp_remote_arguments& to, std::string_view line) {
    const auto colon = line.find(':');
    if (colon == line.npos)
        return false;
    to.headers[std::string(trim_space(line.substr(0, colon)))] =
        std::string(trim_space(line.substr(colon + 1)));
    return true;
}

std::vector<std::string> mcp_remote_keys(const mcp_remote_arguments& arguments) {
    auto bare = arguments.url;
    while (bare.ends_with('/'))
        bare.pop_back();
    std::vector<std::string> out;
    for (const auto& url : {arguments.url, bare, bare + "/"}) {
        auto key = key_of(url, arguments);
        if (std::find(out.begin(), out.end(), key) == out.end())
            out.push_back(std::move(key));
    }
    return out;
}

std::uint16_t mcp_remote_port(const mcp_remote_arguments& arguments) {
    constexpr unsigned first = 3335, ports = 45'816;
    const auto offset = std::stoul(key_of(arguments.url, arguments).substr(0, 4), nullptr, 16);
    return static_cast<std::uint16_t>(first + offset % ports);
}

result<mcp_remote_login> read_mcp_remote(const secret& tokens, const secret& client, time_point now) {
    const auto in = parse_json_object(tokens.reveal());
    if (!in)
        return unusable_login("its tokens are no JSON object");
    mcp_remote_login out;
    auto& held = out.held;
    held.access_token = secret(json_string(*in, "access_token"));
    held.refresh_token = secret(json_string(*in, "refresh_token"));
    held.issuer = json_string(*in, "issuer");
    if (held.access_token.empty())
        return unusable_login("there is no access token");
    if (!sendable_token(held.access_token.reveal()) || !sendable_token(held.refresh_token.reveal()))
        return unusable_login("a token holds characters that no token may have (RFC 6749, appendix A)");
    if (const auto type = json_string(*in, "token_type"); !type.empty() && ascii_lower(type) != "bearer")
        return unusable_login("its tokens are of the type " + clean_text(type, 40) +
                              ", which can't be taken over");
    held.obtained_at = now;
    held.expires_at = json_time(*in, "expires_at", 1000);
    if (!held.expires_at && !held.refresh_token.empty())
        held.expires_at = now; // not known: renewed at once
    held.requested = scope_set::parse(json_string(*in, "requested_scope"));
    held.granted = scope_set::parse(json_string(*in, "scope"));
    if (held.granted.empty())
        held.granted = held.requested;
    if (held.requested.empty())
        held.requested = held.granted;
    if (client.empty())
        return out;
    const auto kept = parse_json_object(client.reveal());
    if (!kept)
        return unusable_login("its client is no JSON object");
    if (held.issuer.empty())
        held.issuer = json_string(*kept, "issuer");
    auto read = client_of(*kept, held.issuer);
    if (!read)
        return read.error();
    held.client_id = read->identity.id;
    out.client = std::move(*read);
    return out;
}

} // namespace reauth
