// Discovery, then one store.
#include "proxy/recovery/import_login.hpp"

#include "core/oauth/challenge.hpp"
#include "core/text/uri.hpp"
#include "policy/flows/discovery_flow.hpp"
#include "proxy/recovery/flow_driver.hpp"
#include "proxy/recovery/upstream_probe.hpp"

namespace reauth {
namespace {

failure wrong(std::string message, std::string fix) {
    return failure::permanent(fault::invalid_configuration, std::move(message), std::move(fix));
}

/// The same issuer but for a slash at its end: mcp-remote keeps what the server called itself.
bool same_issuer(std::string a, std::string b) {
    for (auto* s : {&a, &b})
        while (s->ends_with('/'))
            s->pop_back();
    return a == b;
}

} // namespace

task<result<imported_login>> import_login(executor ex, fetcher& network, credential_store& store,
                                          upstream_config upstream, mcp_remote_login login,
                                          fetch_options options) {
    auto request = upstream_probe(upstream);
    auto asked = co_await network.fetch(std::move(request), options);
    if (!asked)
        co_return asked.error();
    const auto challenge = read_challenge(asked->status, asked->headers, false);
    auto wanted = discovery_of(upstream, challenge.resource_metadata);
    const auto found = co_await drive(ex, network, options, discover(std::move(wanted)));
    if (!found)
        co_return found.error();
    auto& held = login.held;
    if (!held.issuer.empty() && !same_issuer(held.issuer, found->issuer()))
        co_return wrong("what mcp-remote keeps was issued by " + held.issuer + ", but the server names " +
                            found->issuer() + " now",
                        "sign in anew: mcp-reauth login " + upstream.name);
    held.issuer = found->issuer();
    held.origin = origin_of(upstream.url);
    held.headers = upstream.header_binding;
    held.resource = found->resource;
    held.found = std::make_shared<const known_server>(to_known(*found));
    const auto there = store.find_credential("local", upstream.name, held.issuer);
    if (!there)
        co_return there.error();
    if (there->value && there->value->origin == held.origin)
        co_return wrong("there is a sign-in for " + upstream.name + " already: nothing was taken over",
                        "to replace it: mcp-reauth logout " + upstream.name + ", then import again");
    held.generation = there->generation + 1;
    if (login.client) {
        login.client->issuer = held.issuer;
        auto kept = store.store_registration(upstream.name, *login.client);
        if (!kept)
            co_return kept.error();
    }
    const auto other = store.store_credential("local", upstream.name, held, there->generation, true);
    if (!other)
        co_return other.error();
    if (other->has_value())
        co_return wrong("another process has just signed in to " + upstream.name, "nothing needs to be done");
    imported_login done;
    done.issuer = held.issuer;
    done.renewable = !held.refresh_token.empty() && login.client;
    done.expires_at = held.expires_at;
    co_return done;
}

} // namespace reauth
