// What identity providers tell of people: logout tokens and security events, pushed or polled, each verified
// and acted upon once in all processes.
#pragma once

#include "proxy/approval/identity_actions.hpp"
#include "proxy/recovery/identity_desk.hpp"
#include "proxy/recovery/key_desk.hpp"

namespace reauth {

/// Control thread only.
class signal_desk {
public:
    signal_desk(recovery_context& context, life_registry& lives, key_desk& keys, identity_desk& identities)
        : context_(context), lives_(lives), keys_(keys), identities_(identities), timer_(context.ex) {}

    task<signal_answer> logout_token(std::string provider, std::string token);
    task<signal_answer> security_event(std::string provider, std::string bearer, std::string token);
    /// Asks those transmitters that are to be polled, from now on.
    void poll();
    void stop();

private:
    /// Why it is not acted upon; nothing: it is, or was before.
    struct refusal_of_event {
        std::string word; ///< event_fault's; "vault", "under way"
        bool transient = false;
        /// RFC 8935 section 2.4.
        std::string error() const;
    };
    using checker = checked_event (*)(std::string_view, std::string_view, const event_expectation&);
    task<std::optional<refusal_of_event>> take(issuer_place from, event_expectation expected,
                                               std::string issuer, std::string token, checker check);
    task<std::optional<refusal_of_event>> take_event(identity_provider_config provider, std::string token);
    task<std::optional<refusal_of_event>> act(identity_event event, std::string issuer, std::string sender);
    task<void> poll_on();
    task<bool> poll_once(identity_provider_config provider);
    const identity_provider_config* provider_named(const std::string& name) const;

    recovery_context& context_;
    life_registry& lives_;
    key_desk& keys_;
    identity_desk& identities_;
    loop_timer timer_;
    bool polling_ = false, stopped_ = false;
    struct unacknowledged {
        std::vector<std::string> taken;
        std::vector<std::pair<std::string, std::string>> refused; ///< `jti` and `err`
    };
    std::map<std::string, unacknowledged> owed_; ///< by provider: told with the next poll
    std::map<std::string, std::string> trouble_; ///< … as it was logged last
};

} // namespace reauth
