// Refresh token first, then the access token; an endpoint that is missing is no error.
#include "policy/revocation_flow.hpp"

#include "core/json_fields.hpp"
#include "policy/token_flow.hpp"

namespace reauth {
namespace {

std::string oauth_error_of(const std::string& body) {
    const auto parsed = parse_json_object(body);
    return parsed ? json_string(*parsed, "error") : std::string();
}

flow<result<void>> revoke_one(const flow_environment& env, const revocation_inputs& in, const secret& token,
                              const char* hint) {
    const token_call call{in.server, in.client.identity, env.now(), env.random};
    auto request = revocation_request(call, token, hint);
    if (!request)
        co_return request.error();
    fetch ask{std::move(*request), "token revocation"};
    auto answer = co_await std::move(ask);
    if (answer && answer->status / 100 == 2)
        co_return result<void>();
    // a self-contained access token can't be revoked anywhere (RFC 7009 section 2.2.1); it ends by itself
    const bool access = hint == std::string_view("access_token");
    if (access && answer && answer->status == 400 && oauth_error_of(answer->body) == "unsupported_token_type")
        co_return result<void>();
    failure f;
    f.code = fault::authorization_server_unavailable;
    f.transient = !answer || answer->status >= 500 || answer->status == 429;
    f.message = "the " + std::string(access ? "access" : "refresh") +
                " token was not revoked: " + in.server.issuer +
                (answer ? " answered with status " + std::to_string(answer->status) : " did not answer");
    f.fix = "revoke it at the provider; here it is forgotten";
    co_return f;
}

} // namespace

flow<result<void>> revoke_credential(const flow_environment& env, revocation_inputs inputs) {
    if (inputs.server.revocation_endpoint.empty() || inputs.held.issuer != inputs.server.issuer)
        co_return result<void>();
    std::optional<failure> first;
    if (!inputs.held.refresh_token.empty()) {
        auto inner = revoke_one(env, inputs, inputs.held.refresh_token, "refresh_token");
        auto outcome = co_await inner;
        if (!outcome)
            first = outcome.error();
    }
    if (!inputs.held.access_token.empty()) {
        auto inner = revoke_one(env, inputs, inputs.held.access_token, "access_token");
        auto outcome = co_await inner;
        if (!outcome && !first)
            first = outcome.error();
    }
    if (first)
        co_return *first;
    co_return result<void>();
}

} // namespace reauth
