// Sessions at identity providers: what the lives that are minted from them are told, and what a mint asks of
// them.
#pragma once

#include "proxy/recovery/life_registry.hpp"
#include "proxy/recovery/pending_replies.hpp"

#include <map>

namespace reauth {

/// Control thread only.
class session_desk final : public session_source {
public:
    session_desk(recovery_context& context, life_registry& lives, pending_replies& replies)
        : context_(context), lives_(lives), replies_(replies) {}

    /// Its lives hear what can be minted from it now.
    void tell_all(const life_entry& session);
    void tell(const life_entry& session, const life_key& to);
    /// A life wants a person's login at its provider.
    void ask(const life_entry& m, const life::ask_session& a);
    /// That approval ended without a session.
    void refused(const life_entry& session, const life::approval_refused& a);
    /// Metadata of its provider, found by its own life.
    void found(const life_entry& session, const discovered_server& server);
    /// Whom the ID token names that is used for it; empty: not known.
    std::string subject_of(const life_entry& m) const;

    task<result<idp_session>> usable_session(std::string provider, std::string principal,
                                             std::uint64_t refused) override;
    void session_dead(const std::string& provider, const std::string& principal,
                      std::uint64_t generation) override;
    task<result<authorization_server>> provider_metadata(std::string provider) override;

private:
    struct known_provider {
        authorization_server server;
        time_point since{};
    };
    task<life::answer> renew(life_key key, std::uint64_t generation, bool refused);

    recovery_context& context_;
    life_registry& lives_;
    pending_replies& replies_;
    std::map<std::string, known_provider> providers_; ///< by issuer
};

} // namespace reauth
