// Asked where the answer costs least.
#include "policy/flows/account_flow.hpp"

#include "core/json/json_fields.hpp"
#include "core/oauth/id_token.hpp"

namespace reauth {
namespace {

constexpr std::size_t longest_shown = 255;

std::string first_said(std::initializer_list<std::string> names) {
    for (const auto& name : names)
        if (!name.empty())
            return name.substr(0, longest_shown);
    return {};
}

signed_in_account account_in(const result<http_response>& answer, bool introspected) {
    signed_in_account found;
    const auto said = answer && answer->status == 200 ? parse_json_object(answer->body) : std::nullopt;
    if (!said || (introspected && !json_bool(*said, "active")))
        return found;
    found.subject = json_string(*said, "sub").substr(0, longest_shown);
    found.shown =
        first_said({json_string(*said, "email"), json_string(*said, "username"),
                    json_string(*said, "preferred_username"), json_string(*said, "name"), found.subject});
    return found;
}

} // namespace

result<http_request> introspection_request(const token_call& call, const secret& token) {
    form_body form;
    form.add("token", token).add_if("token_type_hint", "access_token");
    return post_form(call, call.server.introspection_endpoint, "introspection_endpoint", std::move(form));
}

http_request userinfo_request(const std::string& endpoint, const secret& token) {
    http_request ask;
    ask.url = endpoint;
    ask.headers = {{"Accept", "application/json"}};
    ask.authorization = secret("Bearer " + std::string(token.reveal()));
    return ask;
}

flow<signed_in_account> find_account(const flow_environment& env, pending_authorization pending,
                                     token_response response) {
    signed_in_account found;
    if (!response.id_token.empty()) {
        const auto claims = peek_id_token(response.id_token);
        if (claims) {
            found.subject = claims->subject.substr(0, longest_shown);
            found.shown = first_said({claims->email, claims->preferred, claims->subject});
        }
        co_return found;
    }
    const auto& server = pending.server;
    if (!server.introspection_endpoint.empty() &&
        pending.client.identity.method != client_auth_method::none) {
        const token_call call{server, pending.client.identity, env.now(), env.random};
        auto request = introspection_request(call, response.access_token);
        if (request) {
            fetch ask{std::move(*request), "which account it is"};
            auto answer = co_await std::move(ask);
            found = account_in(answer, true);
        }
    }
    const bool openid =
        response.scope ? response.scope->contains("openid") : pending.scopes.contains("openid");
    if (found.shown.empty() && openid && !server.userinfo_endpoint.empty() && pending.dpop_key.empty()) {
        fetch ask{userinfo_request(server.userinfo_endpoint, response.access_token), "which account it is"};
        auto answer = co_await std::move(ask);
        found = account_in(answer, false);
    }
    co_return found;
}

} // namespace reauth
