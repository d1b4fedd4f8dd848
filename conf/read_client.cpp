// Parts that an upstream, its accounts and identity providers have in common: our client, header fields,
// scopes.
#include "conf/readers.hpp"

#include "conf/values.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"

#include <algorithm>

namespace reauth {

void read_oauth_client(section s, oauth_client_config& out, plain_http http) {
    s.text("id", out.id);
    out.client_secret = s.secret_value("secret").value;
    s.choice<std::string>("auth", out.auth,
                          {{"none", "none"},
                           {"client_secret_basic", "client_secret_basic"},
                           {"client_secret_post", "client_secret_post"},
                           {"private_key_jwt", "private_key_jwt"}});
    out.private_key = s.secret_value("private_key").value;
    s.choice<std::string>("alg", out.alg, {{"ES256", "ES256"}, {"RS256", "RS256"}, {"PS256", "PS256"}});
    read_issuer(s, out.issuer, http);
    if (out.id.empty() && (s.has("secret") || s.has("private_key")))
        s.error("id", "is missing: a secret or key belongs to a client id.");
    if (out.auth == "private_key_jwt" && !s.has("private_key"))
        s.error("private_key", "is missing: auth private_key_jwt signs with it.");
    if (out.auth.starts_with("client_secret") && !s.has("secret"))
        s.error("secret", "is missing: auth " + out.auth + " sends it.");
    if (out.auth == "none" && (s.has("secret") || s.has("private_key")))
        s.error("auth", "is none although a secret or key is given; remove one of them.");
    s.finish();
}

void read_login(section& s, login_kind& out) {
    s.choice<login_kind>("login", out, {{"browser", login_kind::browser}, {"device", login_kind::device}});
}

void read_headers(section& s, upstream_config& out) {
    for (auto& [name, value] : s.pairs("headers")) {
        const auto shown = "'" + clean_text(name.text, 60) + "'";
        const bool bad_value = std::any_of(value.begin(), value.end(), [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
        });
        if (!is_http_token(name.text))
            s.error("headers", "holds " + shown + ", which cannot be a header name.");
        else if (ascii_lower(name.text) == "authorization")
            s.error("headers", "must not set Authorization; use grant: static with token: {file: PATH}.");
        else if (is_own_header(ascii_lower(name.text)))
            s.error("headers", "must not set " + shown + ": the proxy or the client does.");
        else if (bad_value)
            s.error("headers", "has control characters in the value of " + shown + ".");
        else
            out.headers.emplace_back(std::move(name.text), std::move(value));
    }
    out.header_files = s.files_of("headers");
    auto written = out.headers;
    for (auto& [name, value] : written)
        for (const auto& [file_name, path] : out.header_files)
            if (name == file_name)
                value = path;
    out.header_binding = header_binding(std::move(written));
}

void read_resource(section& s, upstream_config& out) {
    s.text("resource", out.resource);
    if (out.resource == "auto" || out.resource == "omit" || !s.has("resource"))
        return;
    const auto colon = out.resource.find(':');
    const bool clean = std::all_of(out.resource.begin(), out.resource.end(),
                                   [](char c) { return c > ' ' && c <= '~' && c != '#' && c != '"'; });
    if (colon == 0 || colon == out.resource.npos || !clean)
        s.error("resource", "must be auto, omit or an absolute URI without a fragment.");
}

void read_scopes(section& s, upstream_config& u) {
    if (!s.has("scopes"))
        return;
    u.scopes.emplace();
    for (auto& scope : s.texts("scopes"))
        for (std::size_t at = 0; at < scope.text.size();) {
            const auto end = std::min(scope.text.find(' ', at), scope.text.size());
            const auto token = std::string_view(scope.text).substr(at, end - at);
            at = end + 1;
            if (!token.empty() && !valid_scope_token(token))
                s.error("scopes",
                        "holds '" + clean_text(token, 60) + "', which is not a scope (RFC 6749 §3.3).");
            else if (!token.empty())
                u.scopes->add(token);
        }
}

} // namespace reauth
