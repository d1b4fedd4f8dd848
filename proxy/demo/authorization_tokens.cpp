// The demo's token endpoint: authorization_code, refresh_token with rotation, client_credentials, JWT bearer.
#include "proxy/demo/authorization_state.hpp"

#include "core/crypto/pkce.hpp"

namespace reauth {

using nlohmann::json;

task<void> demo_authorization_server::state::serve_token(std::shared_ptr<state> self, service_exchange& x) {
    std::chrono::milliseconds delay{0};
    enum class trouble { none, unavailable, drop, drop_answer } fault_now = trouble::none;
    {
        const std::lock_guard lock(self->mutex);
        ++self->counters.token_requests;
        const auto hits = [](unsigned& left) {
            const bool one_is_left = left > 0;
            left -= one_is_left ? 1 : 0;
            return one_is_left;
        };
        if (hits(self->faults.delay_next))
            delay = self->faults.delay;
        if (hits(self->faults.drop_next))
            fault_now = trouble::drop;
        else if (hits(self->faults.unavailable_next))
            fault_now = trouble::unavailable;
        else if (hits(self->faults.drop_answer_next))
            fault_now = trouble::drop_answer;
    }
    co_await self->gate.pass();
    if (delay.count() > 0) {
        loop_timer timer(self->ex, delay);
        error_code cancelled;
        co_await timer.async_wait(asio::redirect_error(use_task, cancelled));
    }
    if (fault_now == trouble::drop) {
        x.abort();
        co_return;
    }
    service_response answer{503, {{"Content-Type", "text/plain"}}, "The demo was told to be unavailable.\n"};
    if (fault_now != trouble::unavailable)
        answer = self->token(x.request());
    if (fault_now == trouble::drop_answer) {
        x.abort();
        co_return;
    }
    co_await x.respond(std::move(answer));
}

service_response demo_authorization_server::state::token(const service_request& request) {
    const auto form = demo_fields(request.body);
    const std::lock_guard lock(mutex);
    const auto answer = [&]() -> service_response {
        if (faults.invalid_client_next > 0) {
            --faults.invalid_client_next;
            return demo_oauth_error(401, "invalid_client", "The demo was told to refuse the client.");
        }
        const demo_client* client = authenticate(request, form);
        if (!client)
            return demo_oauth_error(401, "invalid_client",
                                    "The client is unknown or its authentication failed.");
        if (faults.invalid_grant_next > 0) {
            --faults.invalid_grant_next;
            return demo_oauth_error(400, "invalid_grant", "The demo was told to refuse the grant.");
        }
        const std::string type = demo_field(form, "grant_type");
        if (type == "authorization_code")
            return by_code(*client, form);
        if (type == "refresh_token")
            return by_refresh(*client, form);
        if (type == "client_credentials")
            return by_client(*client, form);
        if (type == "urn:ietf:params:oauth:grant-type:jwt-bearer" && options.assertion_check)
            return by_assertion(*client, form);
        if (const auto more = options.more_grants.find(type); more != options.more_grants.end())
            return more->second(*client, form,
                                [&](const std::string& token) -> std::optional<demo_authority> {
                                    const auto use = book.use_refresh(token, client->id, false);
                                    return use.valid ? std::optional(use.authority) : std::nullopt;
                                });
        return demo_oauth_error(400, "unsupported_grant_type", "This grant type is not supported.");
    };
    service_response response = answer();
    if (faults.error_with_200)
        response.status = 200;
    return response;
}

const demo_client*
demo_authorization_server::state::authenticate(const service_request& request,
                                               const std::map<std::string, std::string>& form) {
    const auto [basic_id, basic_secret] = demo_basic(request.header("Authorization").value_or(""));
    const bool basic = !basic_id.empty();
    const auto found = book.clients.find(basic ? basic_id : demo_field(form, "client_id"));
    if (found == book.clients.end())
        return nullptr;
    const demo_client& client = found->second;
    const std::string& method = client.auth_method;
    const secret known(client.secret);
    if (method == "none")
        return basic ? nullptr : &client;
    if (method == "client_secret_basic")
        return basic && known.equals(basic_secret) ? &client : nullptr;
    return !basic && known.equals(demo_field(form, "client_secret")) ? &client : nullptr;
}

scope_set demo_authorization_server::state::grantable(const std::string& asked) const {
    scope_set scopes = scope_set::parse(asked);
    if (scopes.empty())
        scopes = options.default_scopes;
    scope_set granted;
    for (const auto& scope : scopes)
        if (options.scopes_supported.contains(scope) &&
            (!faults.grant_at_most || faults.grant_at_most->contains(scope)))
            granted.add(scope);
    return granted;
}

service_response demo_authorization_server::state::grant(const std::string& family, const scope_set& scopes,
                                                         const std::string& refresh_token) {
    const auto now = options.clock();
    std::vector<std::pair<std::string, std::string>> fields{
        {"access_token", book.issue_access(family, scopes, now + options.access_lifetime)},
        {"token_type", "Bearer"}};
    const auto lifetime = options.announced_lifetime.value_or(
        std::chrono::duration_cast<std::chrono::seconds>(options.access_lifetime));
    if (!faults.omit_expires_in)
        fields.emplace_back("expires_in", std::to_string(lifetime.count()));
    if (!faults.omit_scope)
        fields.emplace_back("scope", scopes.to_string());
    if (!refresh_token.empty() && !faults.no_refresh_token)
        fields.emplace_back("refresh_token", refresh_token);
    if (faults.form_encoded)
        return {200,
                {{"Content-Type", "application/x-www-form-urlencoded"}, {"Cache-Control", "no-store"}},
                demo_form(fields)};
    json body;
    for (const auto& [name, value] : fields)
        body[name] = value;
    if (body.contains("expires_in"))
        body["expires_in"] = lifetime.count();
    if (options.complete_token)
        options.complete_token(book.authority_of(family), body);
    if (faults.patch_token)
        faults.patch_token(body);
    return demo_json(200, body);
}

service_response demo_authorization_server::state::by_code(const demo_client& client,
                                                           const std::map<std::string, std::string>& form) {
    const auto code = book.take_code(demo_field(form, "code"));
    if (!code || code->authority.client_id != client.id || code->expires_at <= options.clock())
        return demo_oauth_error(400, "invalid_grant",
                                "The code is unknown, spent, expired, or another client's.");
    if (code->redirect_uri != demo_field(form, "redirect_uri"))
        return demo_oauth_error(400, "invalid_grant",
                                "redirect_uri is not that of the authorization request.");
    if (pkce_challenge(secret(demo_field(form, "code_verifier"))) != code->code_challenge)
        return demo_oauth_error(400, "invalid_grant", "code_verifier does not fit code_challenge.");
    if (const auto resource = demo_field(form, "resource");
        !resource.empty() && resource != code->authority.resource)
        return demo_oauth_error(400, "invalid_target", "resource is not that of the authorization request.");
    ++counters.codes_exchanged;
    const std::string family = book.open_family(code->authority);
    return grant(family, code->authority.scopes,
                 client.may("refresh_token") ? book.issue_refresh(family) : "");
}

service_response
demo_authorization_server::state::by_refresh(const demo_client& client,
                                             const std::map<std::string, std::string>& form) {
    const std::string token = demo_field(form, "refresh_token");
    const auto use = book.use_refresh(token, client.id, false);
    if (use.reused)
        ++counters.refresh_reuses;
    if (!use.valid)
        return demo_oauth_error(400, "invalid_grant", "The refresh token is unknown, spent or revoked.");
    scope_set scopes = use.authority.scopes;
    if (const auto asked = scope_set::parse(demo_field(form, "scope")); !asked.empty()) {
        if (!scopes.covers(asked))
            return demo_oauth_error(400, "invalid_scope", "A refresh cannot add scopes (RFC 6749 §6).");
        scopes = asked;
    }
    // spent only now: a request refused for its scope leaves the token as it was
    book.use_refresh(token, client.id, options.rotate_refresh_tokens);
    ++counters.refreshes;
    return grant(use.family, scopes, options.rotate_refresh_tokens ? book.issue_refresh(use.family) : "");
}

service_response demo_authorization_server::state::by_client(const demo_client& client,
                                                             const std::map<std::string, std::string>& form) {
    if (client.auth_method == "none" || !client.may("client_credentials"))
        return demo_oauth_error(400, "unauthorized_client", "This client may not use client_credentials.");
    ++counters.client_credentials;
    const scope_set scopes = grantable(demo_field(form, "scope"));
    const auto family = book.open_family({client.id, client.id, demo_field(form, "resource"), scopes});
    return grant(family, scopes, "");
}

service_response
demo_authorization_server::state::by_assertion(const demo_client& client,
                                               const std::map<std::string, std::string>& form) {
    auto checked = options.assertion_check(demo_field(form, "assertion"));
    if (!checked)
        return demo_oauth_error(400, "invalid_grant", checked.error().message);
    if (!checked->client_id.empty() && checked->client_id != client.id)
        return demo_oauth_error(400, "invalid_grant", "The assertion was made for another client.");
    checked->client_id = client.id;
    if (const auto resource = demo_field(form, "resource"); checked->resource.empty())
        checked->resource = resource;
    // the assertion bounds what the request may ask for
    scope_set scopes;
    for (const auto& scope : grantable(demo_field(form, "scope")))
        if (checked->scopes.contains(scope))
            scopes.add(scope);
    ++counters.jwt_bearers;
    return grant(book.open_family(*checked), scopes, "");
}

} // namespace reauth
