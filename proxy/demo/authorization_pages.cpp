// The demo's authorization endpoint: checks the request, shows a consent page with one button, redirects
// back.
#include "proxy/demo/authorization_state.hpp"

namespace reauth {

namespace {

service_response page(unsigned status, const std::string& title, const std::string& body) {
    return {
        status,
        {{"Content-Type", "text/html; charset=utf-8"},
         {"Cache-Control", "no-store"},
         {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
         {"Referrer-Policy", "no-referrer"}},
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>" +
            title +
            "</title><style>:root{color-scheme:light dark}body{font:16px/1.5 "
            "system-ui,sans-serif;max-width:26rem;"
            "margin:15vh auto;padding:0 1rem}button{font:inherit;padding:.5rem "
            "1.25rem}code{font-size:.9em}</style>"
            "<main><h1>" +
            title + "</h1>" + body + "</main></html>"};
}

} // namespace

service_response
demo_authorization_server::state::redirect(const std::map<std::string, std::string>& query,
                                           std::vector<std::pair<std::string, std::string>> fields) {
    if (const auto known = demo_field(query, "state"); !known.empty())
        fields.emplace_back("state", known);
    if (!faults.wrong_iss.empty())
        fields.emplace_back("iss", faults.wrong_iss);
    else if (!faults.omit_iss)
        fields.emplace_back("iss", issuer);
    return {302,
            {{"Location", demo_with_query(demo_field(query, "redirect_uri"), fields)},
             {"Cache-Control", "no-store"}},
            ""};
}

service_response demo_authorization_server::state::refuse(const std::map<std::string, std::string>& query,
                                                          const std::string& error,
                                                          const std::string& description) {
    return redirect(query, {{"error", error}, {"error_description", description}});
}

service_response demo_authorization_server::state::approve(const std::map<std::string, std::string>& query) {
    ++counters.authorizations;
    demo_code code;
    code.authority = {demo_field(query, "client_id"), options.subject, demo_field(query, "resource"),
                      grantable(demo_field(query, "scope")), demo_field(query, "nonce")};
    code.redirect_uri = demo_field(query, "redirect_uri");
    code.code_challenge = demo_field(query, "code_challenge");
    code.expires_at = options.clock() + std::chrono::minutes(1);
    return redirect(query, {{"code", book.issue_code(std::move(code))}});
}

service_response demo_authorization_server::state::authorize(const service_request& request) {
    const auto query = demo_fields(request.query);
    const std::lock_guard lock(mutex);
    const auto client = book.clients.find(demo_field(query, "client_id"));
    // nothing may be sent to a redirect URI that is not the client's (RFC 6749 §4.1.2.1)
    if (client == book.clients.end())
        return page(400, "Demo sign-in", "<p>This client is not registered here.</p>");
    if (!client->second.allows_redirect(demo_field(query, "redirect_uri")))
        return page(400, "Demo sign-in", "<p>This redirect URI is not registered for the client.</p>");
    if (!faults.deny_authorize.empty())
        return refuse(query, faults.deny_authorize, "The demo was told to refuse.");
    if (demo_field(query, "response_type") != "code")
        return refuse(query, "unsupported_response_type", "Only response_type=code is supported.");
    if (demo_field(query, "code_challenge").empty() || demo_field(query, "code_challenge_method") != "S256")
        return refuse(query, "invalid_request", "PKCE with S256 is required.");
    const scope_set asked = scope_set::parse(demo_field(query, "scope"));
    if (!options.scopes_supported.covers(asked))
        return refuse(query, "invalid_scope", "A scope is not known here.");
    if (options.auto_approve || demo_field(query, "auto") == "1")
        return approve(query);

    const std::string key = demo_random(16);
    if (consents.size() >= 1000)
        consents.clear();
    consents[key] = query;
    std::string scopes;
    for (const auto& scope : grantable(demo_field(query, "scope")))
        scopes += "<li><code>" + demo_html(scope) + "</code></li>";
    const std::string name = client->second.name.empty() ? client->second.id : client->second.name;
    return page(
        200, "Demo sign-in",
        "<p>You are <b>" + demo_html(options.subject) + "</b>. <b>" + demo_html(name) +
            "</b> asks for:</p><ul>" + scopes + "</ul><form method=\"post\" action=\"" +
            demo_html(options.issuer_path + "/consent") +
            "\"><input type=\"hidden\" name=\"request\" value=\"" + key +
            "\"><button name=\"decision\" value=\"allow\" autofocus>Sign in and allow</button></form>");
}

service_response demo_authorization_server::state::consent(const service_request& request) {
    const auto form = demo_fields(request.body);
    const std::lock_guard lock(mutex);
    const auto open = consents.extract(demo_field(form, "request"));
    if (open.empty())
        return page(400, "Demo sign-in", "<p>This sign-in is over. Start again from your program.</p>");
    if (demo_field(form, "decision") != "allow")
        return refuse(open.mapped(), "access_denied", "The person said no.");
    return approve(open.mapped());
}

} // namespace reauth
