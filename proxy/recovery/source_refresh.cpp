// Source: the refresh_token grant (RFC 6749 section 6).
#include "policy/flows/refresh_flow.hpp"

#include "policy/flows/registration_flow.hpp"
#include "proxy/recovery/token_source.hpp"

namespace reauth {

task<life::flow_ended> refresh_source(recovery_context& context, configured_binding place, life::run what) {
    life::flow_ended end{what.work, failure{}};
    auto known = co_await client_issued_to(context, place, what.server->server, what.held->client_id);
    if (!known) {
        end.fresh = known.error();
        co_return end;
    }
    auto& its = *known;
    if (its && its->secret_expired_at(context.env.now())) {
        // some servers give the same client a new secret; another client is of no use for this token
        auto again = co_await client_for(context, place, what.server->server);
        if (!again) {
            end.fresh = again.error();
            co_return end;
        }
        its = again->identity.id == what.held->client_id ? std::optional(std::move(*again)) : std::nullopt;
    }
    if (!its) {
        end.fresh = failure::permanent(fault::reauth_failed,
                                       "the client that the credential was issued to is not known any more",
                                       "sign in again")
                        .with_oauth_error("invalid_client");
        end.client_unknown = true;
        co_return end;
    }
    const auto client = std::move(its);
    refresh_inputs inputs;
    inputs.server = what.server->server;
    inputs.client = *client;
    end.client = *client;
    inputs.held = std::move(*what.held);
    if (!place.session()) {
        inputs.id_token_is_bearer = place.upstream().bearer == bearer_kind::id_token;
        inputs.http = place.upstream().http();
    }
    auto options = options_for(place);
    auto work = refresh_credential(context.env, std::move(inputs));
    end.fresh = co_await drive(context.ex, context.network, options, std::move(work));
    if (!end.fresh && wants_new_registration(end.fresh.error(), *client)) {
        // the server has forgotten us
        const auto issuer = what.server->issuer();
        const auto upstream = place.whose.upstream;
        const auto id = client->identity.id;
        auto forget = [&] { return context.store.erase_registration(issuer, upstream, id); };
        auto forgotten = co_await context.vault.run(forget);
        end.client_unknown = forgotten.has_value();
    }
    co_return end;
}

} // namespace reauth
