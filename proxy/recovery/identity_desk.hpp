// Ends of identities: kept in the vault, told to workers and lives, heard of from other processes. Whoever
// hears of one first signs out of all that is held; the others only let go.
#pragma once

#include "core/oauth/security_event.hpp"
#include "proxy/recovery/life_registry.hpp"
#include "proxy/recovery/pending_replies.hpp"
#include "proxy/relay/ended_identities.hpp"

#include <map>

namespace reauth {

/// Control thread only.
class identity_desk {
public:
    /// Tells every worker, and gives back whom each turned out to know by that name, once for each.
    using worker_teller =
        std::function<void(const identity_end& what, std::function<void(std::vector<std::string>)> found)>;

    identity_desk(recovery_context& context, life_registry& lives, pending_replies& replies,
                  recovery_record& record)
        : context_(context), lives_(lives), replies_(replies), record_(record) {}

    void on_end(worker_teller tell) { tell_ = std::move(tell); }
    /// Blocks: at the start, before anything else uses the vault.
    result<void> load();
    /// What a process that has died had begun to bury is buried.
    void finish_begun();
    /// As workers have it at the start.
    const ended_ptr& all() const noexcept { return all_; }

    /// Of a principal: the vault knows, requests that are held are answered, streams cut, credentials and
    /// sessions signed out of. How many tokens were revoked.
    task<result<revocation_report>> end_principal(std::string principal, time_point at, std::string why,
                                                  bool renewed = false);
    /// What an identity provider has said of somebody; that issuer's people alone. fault::vault_unavailable:
    /// it is not kept, and is to be said again.
    task<result<void>> heard(identity_event event, std::string issuer);
    /// One login at our page is over.
    task<result<void>> end_page_session(std::string session, time_point at);
    /// Whether anything of that has ended since: a principal, a subject or a session of `issuer`, by now.
    bool over(const std::vector<std::uint64_t>& keys, time_point since) const;
    /// Another process has written that record.
    task<void> read_changed(std::string key);

private:
    /// `buried`: by this process, which tells the lives itself.
    void apply(const ended_identity& e, bool buried = false);
    task<void> bury(ended_identity e);
    std::vector<std::string> named_by(const event_subject& who, const std::string& issuer) const;
    std::vector<std::string> with_session(const event_subject& who, const std::string& issuer) const;
    task<result<void>> keep(ended_identity e);
    task<std::vector<life_key>> places_of(std::string principal, bool renewed);
    bool concerned(const life_key& key, bool renewed) const;
    void found_by_workers(const ended_identity& e, std::vector<std::string> principals);

    recovery_context& context_;
    life_registry& lives_;
    pending_replies& replies_;
    recovery_record& record_;
    worker_teller tell_;
    ended_ptr all_ = std::make_shared<const ended_identities>();
    std::vector<ended_identity> begun_;
};

} // namespace reauth
