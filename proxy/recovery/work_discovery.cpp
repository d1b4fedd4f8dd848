// Which authorization server it is: the upstream says, or the configuration.
#include "proxy/recovery/upstream_probe.hpp"
#include "proxy/recovery/work.hpp"

namespace reauth {

namespace {

/// Of an exchange at a server that the configuration names: nothing that the upstream says is needed.
task<result<discovered_server>> named_server(recovery_context& context, configured_binding place) {
    const auto& upstream = place.upstream();
    discovered_server server;
    server.resource = upstream.resource == "omit"   ? std::string()
                      : upstream.resource == "auto" ? upstream.url
                                                    : upstream.resource;
    if (upstream.exchange.identity_provider.empty()) {
        server.server = exchange_server_of(upstream);
        co_return server;
    }
    auto found = co_await context.sessions.provider_metadata(upstream.exchange.identity_provider);
    if (!found)
        co_return found.error();
    server.server = std::move(*found);
    co_return server;
}

} // namespace

task<life_event> carry_out(recovery_context& context, configured_binding place, life::discover what) {
    context.step("discover");
    auto options = options_for(place);
    if (place.session()) {
        auto work = discover_issuer(place.whose.url);
        auto found = co_await drive(context.ex, context.network, options, std::move(work));
        if (!found) {
            auto why = found.error();
            why.message = "identity provider " + place.provider + ": " + why.message;
            co_return life::discovered{what.work, why};
        }
        discovered_server server;
        server.server = std::move(*found);
        co_return life::discovered{what.work, std::move(server)};
    }
    if (place.upstream().exchanges_at_named_server()) {
        auto named = co_await named_server(context, place);
        co_return life::discovered{what.work, std::move(named)};
    }
    auto request = discovery_of(place.upstream(), what.resource_metadata);
    request.pinned_issuer = what.pinned_issuer;
    auto work = discover(std::move(request));
    auto found = co_await drive(context.ex, context.network, options, std::move(work));
    co_return life::discovered{what.work, std::move(found)};
}

} // namespace reauth
