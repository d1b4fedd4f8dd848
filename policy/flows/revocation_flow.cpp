// Refresh token first, then the access token; an endpoint that is missing is no error, and is told.
#include "policy/flows/revocation_flow.hpp"

#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"
#include "policy/flows/token_flow.hpp"

#include <iterator>

namespace reauth {
namespace {

std::string oauth_error_of(const std::string& body) {
    const auto parsed = parse_json_object(body);
    return parsed ? json_string(*parsed, "error") : std::string();
}

token_left access_left(const credential& value, std::string because) {
    return {"access_token", value.issuer, value.expires_at, std::move(because)};
}

flow<revocation_report> revoke_one(const flow_environment& env, const revocation_inputs& in,
                                   const secret& token, const char* hint) {
    revocation_report end;
    const token_call call{in.server, in.client.identity, env.now(), env.random};
    auto request = revocation_request(call, token, hint);
    if (!request) {
        end.trouble = request.error();
        co_return end;
    }
    fetch ask{std::move(*request), "token revocation"};
    auto answer = co_await std::move(ask);
    if (answer && answer->status / 100 == 2) {
        end.revoked = 1;
        co_return end;
    }
    // a self-contained access token can't be revoked anywhere (RFC 7009 section 2.2.1); it ends by itself
    const bool access = hint == std::string_view("access_token");
    if (access && answer && answer->status == 400 &&
        oauth_error_of(answer->body) == "unsupported_token_type") {
        if (!in.held.expired_at(env.now()))
            end.left.push_back(access_left(in.held, in.server.issuer + " revokes no access tokens"));
        co_return end;
    }
    // a token that the server does not know is none to revoke (§2.2); some say so with an error
    const auto word = answer && answer->status == 400 ? oauth_error_of(answer->body) : std::string();
    if (word == "invalid_token" || word == "invalid_grant" || (in.replaced && word == "invalid_request"))
        co_return end;
    failure f;
    f.code = fault::authorization_server_unavailable;
    f.transient = !answer || answer->status >= 500 || answer->status == 429;
    f.message = "the " + std::string(access ? "access" : "refresh") +
                " token was not revoked: " + in.server.issuer +
                (answer ? " answered with status " + std::to_string(answer->status) +
                              (word.empty() ? "" : " (" + clean_text(word, 60) + ")")
                        : " did not answer");
    f.fix = "revoke it at the provider; here it is forgotten";
    end.trouble = std::move(f);
    co_return end;
}

} // namespace

void revocation_report::add(revocation_report other) {
    revoked += other.revoked;
    left.insert(left.end(), std::make_move_iterator(other.left.begin()),
                std::make_move_iterator(other.left.end()));
    if (!trouble)
        trouble = std::move(other.trouble);
}

revocation_report not_revoked(const credential& value, time_point now, const std::string& because) {
    revocation_report end;
    if (!value.refresh_token.empty())
        end.left.push_back({"refresh_token", value.issuer, std::nullopt, because});
    if (!value.access_token.empty() && !value.expired_at(now))
        end.left.push_back(access_left(value, because));
    return end;
}

flow<revocation_report> revoke_credential(const flow_environment& env, revocation_inputs inputs) {
    const auto& held = inputs.held;
    if (inputs.server.revocation_endpoint.empty())
        co_return not_revoked(held, env.now(), held.issuer + " names no revocation endpoint");
    if (held.issuer != inputs.server.issuer)
        co_return not_revoked(held, env.now(), inputs.server.issuer + " has not issued it");
    revocation_report end;
    if (!held.refresh_token.empty()) {
        auto inner = revoke_one(env, inputs, held.refresh_token, "refresh_token");
        auto one = co_await inner;
        end.add(std::move(one));
    }
    if (!held.access_token.empty()) {
        auto inner = revoke_one(env, inputs, held.access_token, "access_token");
        auto one = co_await inner;
        end.add(std::move(one));
    }
    co_return end;
}

} // namespace reauth
