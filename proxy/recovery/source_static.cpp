// Source: tokens that the configuration supplies; their files are read again when they changed, or were
// refused.
#include "policy/flows/idp_session.hpp"

#include "proxy/recovery/secret_files.hpp"
#include "proxy/recovery/token_source.hpp"

namespace reauth {

result<credential> supplied_token(const configured_binding& place, time_point now) {
    if (!place.session()) {
        const auto& upstream = place.upstream();
        auto token = read_token_now(upstream.token, upstream.token_type);
        if (!token)
            return token.error();
        credential c;
        c.access_token = std::move(*token);
        c.token_type = to_string(upstream.token_type);
        c.header = upstream.token_header;
        c.obtained_at = now;
        return c;
    }
    const auto& provider = place.idp();
    auto text = read_secret_now(provider.id_token);
    if (!text)
        return text.error();
    auto session = session_from_id_token(provider.name, provider.client.id, *text, now);
    if (!session)
        return session.error();
    if (session->issuer != provider.issuer)
        return failure::permanent(fault::invalid_configuration,
                                  "the ID token that is configured for identity provider " + provider.name +
                                      " comes from " + session->issuer + " instead of " + provider.issuer,
                                  "supply one of the provider, or correct its issuer");
    return credential_of(*session);
}

task<life::flow_ended> static_source(recovery_context& context, configured_binding place, life::run what) {
    life::flow_ended end{what.work, supplied_token(place, context.env.now())};
    if (end.fresh && what.held && end.fresh->access_token == what.held->access_token)
        end.fresh = failure::permanent(fault::reauth_failed,
                                       "upstream " + place.whose.upstream + " refuses the configured token",
                                       "replace it");
    co_return end;
}

task<life::flow_ended> supplied_session_source(recovery_context& context, configured_binding place,
                                               life::run what) {
    co_return life::flow_ended{what.work, supplied_token(place, context.env.now())};
}

} // namespace reauth
