// The organisation's identity providers: one session per (principal, provider) serves all its upstreams.
#pragma once

#include "conf/config.hpp"
#include "policy/idp_session.hpp"
#include "proxy/approval/approvals.hpp"
#include "proxy/recovery/fetcher.hpp"
#include "proxy/recovery/joined_flight.hpp"
#include "proxy/recovery/vault_thread.hpp"
#include "proxy/vault/credential_store.hpp"

#include <map>

namespace reauth {

/// Keeps sessions, renews them (once, whoever asks), and knows the providers' metadata. Control thread only.
/// A `config&` given to a member must live until it ends; `name` must be one of its identity_providers.
class idp_desk {
public:
    idp_desk(executor ex, fetcher& network, credential_store& store, vault_thread& thread,
             const flow_environment& env, std::string holder);

    /// What the vault holds, before anything runs.
    result<void> load();

    /// Looks again at what may have changed elsewhere: a supplied ID token, or a session stored by another
    /// process.
    task<void> look(const config& settings, std::string name, std::string principal);
    /// Whether a credential may be minted without a person, as of the last look.
    bool can_mint(const config& settings, const std::string& name, const std::string& principal) const;

    /// The session, renewed first where its ID token is (nearly) expired. Not transient: it is gone.
    task<result<idp_session>> usable(const config& settings, std::string name, std::string principal);
    /// Renews although the ID token looks good: the provider has refused `refused`. Whoever renewed meanwhile
    /// is believed.
    task<result<idp_session>> renewed(const config& settings, std::string name, std::string principal,
                                      idp_session refused);
    /// Durable before it is used.
    task<result<void>> keep(std::string principal, idp_session session);
    /// Forgets the session if it is still this one. A supplied one stays: it is not ours to forget.
    task<result<void>> drop(std::string principal, idp_session session);
    /// Forgets whatever is held; gives it back so that it can be revoked.
    task<result<std::optional<idp_session>>> sign_out(std::string principal, std::string name);

    /// The provider's metadata, kept for 15 minutes.
    task<result<authorization_server>> server_of(const config& settings, std::string name);
    /// The same, if it is known already.
    const authorization_server* known_server(const config& settings, const std::string& name) const;
    /// Our client there.
    static result<registered_client> client_at(const config& settings, const std::string& name,
                                               const authorization_server& server);
    /// How to reach the provider: its host is the operator's choice, so it may be a private one.
    static fetch_options options_for(const config& settings, const std::string& name);

    /// Who the session is about; empty without one.
    std::string subject_of(const std::string& principal, const std::string& name) const;
    std::vector<idp_session_summary> summaries() const;

private:
    struct holding {
        std::optional<idp_session> session;
        secret supplied;                ///< the text that `session` was made of
        std::optional<failure> problem; ///< why the supplied ID token can't be used
        bool renewal_is_no_use =
            false; ///< the provider renews without a new ID token: the refresh token is the subject
        joined_flight<result<idp_session>> renewal;
    };
    struct known_provider {
        std::optional<authorization_server> server;
        time_point discovered_at{};
        joined_flight<result<authorization_server>> discovery;
    };

    holding& held_by(const std::string& principal, const std::string& name) {
        return held_[{principal, name}];
    }
    task<result<idp_session>> renew(const config& settings, std::string name, std::string principal);
    task<result<idp_session>> renew_with_lease(const config& settings, std::string name,
                                               std::string principal);
    task<result<authorization_server>> discover(const config& settings, std::string name);
    void look_at_supplied(const identity_provider_config& provider, holding& h);

    executor ex_;
    fetcher& network_;
    credential_store& store_;
    vault_thread& vault_;
    const flow_environment& env_;
    std::string holder_;
    std::map<std::pair<std::string, std::string>, holding> held_; ///< by principal and provider
    std::map<std::string, known_provider> providers_;             ///< by issuer
};

} // namespace reauth
