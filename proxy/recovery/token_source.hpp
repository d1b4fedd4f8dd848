// Where tokens come from: a source per step, each in a file of its own (source_*.cpp). A new grant is one
// file and one line in the table of token_source.cpp.
#pragma once

#include "policy/flows/idp_session.hpp"
#include "policy/flows/trust.hpp"
#include "policy/life/life_actions.hpp"
#include "proxy/recovery/caller_book.hpp"
#include "proxy/recovery/configured_binding.hpp"
#include "proxy/recovery/fetcher.hpp"
#include "proxy/recovery/flow_driver.hpp"
#include "proxy/recovery/lock_keeper.hpp"
#include "proxy/recovery/recorder.hpp"
#include "proxy/recovery/vault_thread.hpp"
#include "proxy/vault/credential_store.hpp"

namespace reauth {

/// The sessions that enterprise credentials are minted from.
class session_source {
public:
    virtual ~session_source() = default;
    /// A session that can be used now, renewed first where it has (nearly) expired. `refused`: the generation
    /// that the provider no longer takes; 0: none. Not transient: it is gone.
    virtual task<result<idp_session>> usable_session(std::string provider, std::string principal,
                                                     std::uint64_t refused) = 0;
    /// The provider says that this one is dead for good.
    virtual void session_dead(const std::string& provider, const std::string& principal,
                              std::uint64_t generation) = 0;
    /// The provider's metadata.
    virtual task<result<authorization_server>> provider_metadata(std::string provider) = 0;
};

/// What work needs of the world; everything must outlive it. Control thread only.
struct recovery_context {
    executor ex;
    fetcher& network;
    credential_store& store;
    vault_thread& vault;
    const flow_environment& env;
    session_source& sessions;
    lock_keeper& locks;
    caller_book& callers;
    std::string process; ///< what other processes on the vault know this one by
    std::function<void(std::string_view)> on_step =
        {}; ///< hears of each step's beginning and end, by its name

    void step(std::string_view name) const {
        if (on_step)
            on_step(name);
    }
};

/// Gets one credential, or says why there is none; never throws, holds ids and values only.
using token_source = task<life::flow_ended> (*)(recovery_context& context, configured_binding place,
                                                life::run what);
/// The source behind a step; nullptr for the steps of a person.
token_source source_for(recovery_step step, bool session);

task<life::flow_ended> refresh_source(recovery_context& context, configured_binding place, life::run what);
task<life::flow_ended> client_credentials_source(recovery_context& context, configured_binding place,
                                                 life::run what);
task<life::flow_ended> jwt_bearer_source(recovery_context& context, configured_binding place, life::run what);
task<life::flow_ended> token_exchange_source(recovery_context& context, configured_binding place,
                                             life::run what);
task<life::flow_ended> enterprise_source(recovery_context& context, configured_binding place, life::run what);
task<life::flow_ended> static_source(recovery_context& context, configured_binding place, life::run what);
task<life::flow_ended> supplied_session_source(recovery_context& context, configured_binding place,
                                               life::run what);
task<life::flow_ended> session_renewal_source(recovery_context& context, configured_binding place,
                                              life::run what);

/// The token that the configuration supplies for this life, read now.
result<credential> supplied_token(const configured_binding& place, time_point now);

// What sources and sign-in share.
/// Where a provider sends persons back to us.
std::string redirect_uri_of(const config& settings);
std::string redirect_uri_of(const configured_binding& place);
/// How the upstream's authorization server, or the identity provider, is reached.
fetch_options options_for(const configured_binding& place);
fetch_options options_for_provider(const config& settings, const std::string& provider);
/// … for work that is begun with that place.
fetch_options options_for_provider(const configured_binding& place, const std::string& provider);
/// Two planes: neither the identity provider nor what is elsewhere sees the other's certificates or private
/// network.
options_by_url options_for_both(const configured_binding& place, const std::string& provider,
                                const authorization_server& idp);
trust_check trust_for(const configured_binding& place, const char* what);
bool wants_dpop(const configured_binding& place, const life::server_ptr& server, bool challenged_dpop,
                bool challenged_bearer);
/// What every request for a new token is made with: server, client, scopes, resource, DPoP. `guarded` names
/// what an issuer that is not trusted must not get.
template<class Inputs>
void fill_inputs(Inputs& inputs, life::flow_ended& end, const configured_binding& place,
                 const life::run& what, const registered_client& client, const char* guarded) {
    inputs.trust = trust_for(place, guarded);
    inputs.server = what.server->server;
    inputs.client = client;
    end.client = client;
    inputs.scopes = what.scopes;
    inputs.resource = what.server->resource;
    inputs.dpop = wants_dpop(place, what.server, what.challenged_dpop, what.challenged_bearer);
}
/// Which client we are at the upstream's authorization server: configured, metadata document, stored or fresh
/// registration (which is durable when this returns), with `scope` in it where one is given.
task<result<registered_client>> client_for(recovery_context& context, configured_binding place,
                                           authorization_server server, scope_set scope = {});
/// The client that a credential was issued to (RFC 6749 section 6: no other may refresh it), whatever
/// redirect URI it was registered with; nobody is registered for it. Nothing: it is not known any more. An
/// empty client_id (records of before it was kept): the one that we are there now.
task<result<std::optional<registered_client>>> client_issued_to(recovery_context& context,
                                                                configured_binding place,
                                                                authorization_server server,
                                                                std::string client_id);
/// The same, of the clients that the vault holds for the place.
result<std::optional<registered_client>> client_among(std::vector<registered_client> stored,
                                                      const configured_binding& place,
                                                      const authorization_server& server,
                                                      const std::string& client_id);
/// The server at `exchange.token_endpoint`, which the configuration names.
authorization_server exchange_server_of(const upstream_config& upstream);
/// Our client there, as the configuration has it.
result<registered_client> client_configured_for(const configured_binding& place,
                                                const authorization_server& server);
/// Our client at an identity provider.
result<registered_client> client_at_provider(const identity_provider_config& provider,
                                             const authorization_server& server);

} // namespace reauth
