// The credential manager: the lives of all credentials, and the desks round them, put together. It decides
// nothing, and does nothing itself.
#pragma once

#include "proxy/recovery/evidence_desk.hpp"
#include "proxy/recovery/identity_desk.hpp"
#include "proxy/recovery/key_desk.hpp"
#include "proxy/recovery/life_effects.hpp"
#include "proxy/recovery/page_desk.hpp"
#include "proxy/recovery/person_desk.hpp"
#include "proxy/recovery/vault_watch.hpp"

namespace reauth {

/// Lives on the control thread; requests() may be called from anywhere.
class credential_manager {
public:
    credential_manager(asio::io_context& control, fetcher& network, credential_store& store, approvals& book,
                       flow_environment env, snapshot_publisher publish);
    ~credential_manager();
    credential_manager(const credential_manager&) = delete;

    /// The first configuration, before anything runs: reads the vault for every life of the table and
    /// publishes.
    result<void> start(std::shared_ptr<const routing_table> table);
    /// Another configuration. What the vault holds for new lives is read in the background.
    void use(std::shared_ptr<const routing_table> table);
    /// The one clock: expiry, retries, locks, files of supplied tokens. Called by a timer of its own, every
    /// second while there is something to do, and by tests that crank the clock by hand.
    void pass_time();
    /// Ends: who waits is answered, nothing is started any more.
    void stop();
    /// Nothing that spends or brings a token is under way.
    bool quiet() const { return lives_.quiet() && recorder_.quiet(); }

    /// For the data path.
    recovery_service& requests() noexcept { return requests_; }
    /// For the page, the API and the command line.
    approval_actions& persons() noexcept { return persons_; }
    /// Called once for each approval that a person has to hear of, by one process of all on the vault.
    void on_announce(std::function<void(const approval&, const config&)> tell) {
        approvals_.on_announce(std::move(tell));
    }
    /// Hears when a step of a recovery begins, by its name; on the control thread.
    void on_step(std::function<void(std::string_view)> f) { context_.on_step = std::move(f); }
    /// A request is held here for that approval.
    bool anybody_waits(const std::string& approval) const { return requests_.anybody_waits(approval); }

    /// The last that happened here, newest first.
    const std::deque<history_entry>& past() const noexcept { return recorder_.recent(); }
    recorder& kept() noexcept { return recorder_; }
    std::uint64_t kept_lost() const noexcept { return recorder_.lost(); }
    audit_desk& audit() noexcept { return audit_; }
    /// For the page, the API and the command line.
    evidence_actions& evidence() noexcept { return evidence_; }
    const recovery_record& record() const noexcept { return record_; }
    const recovery_counters& counters() const noexcept { return record_.counters(); }
    std::vector<credential_summary> summaries() const;
    /// Of one principal, at every upstream: what is known here. look_up() reads the vault for it.
    std::vector<credential_summary> summaries(const std::string& principal) const;
    void look_up(const std::string& principal);
    /// How many credentials are held in memory, by upstream; each upstream is there.
    std::map<std::string, unsigned> held_by_upstream() const;
    std::vector<idp_session_summary> idp_sessions() const;
    /// Of all principals at one upstream.
    struct credential_count {
        std::string upstream, grant,
            state; ///< "valid", "expired", "missing" (of those that are known here), "unsaved"
        unsigned count = 0;
    };
    std::vector<credential_count> credential_states() const;
    /// By upstream: when the first of its credentials that nothing renews silently ends.
    std::map<std::string, time_point> soonest_expiries() const;
    const vault_thread& vault() const noexcept { return vault_; }
    std::chrono::duration<double> news_age() const noexcept { return watch_.news_age(); }
    /// Names of upstreams and identity providers whose credential is used from memory because it can't be
    /// stored.
    std::vector<std::string> unsaved() const;
    /// What is wrong with the vault, as far as was seen last; nothing: it works.
    const std::optional<failure>& vault_trouble() const noexcept { return watch_.trouble(); }
    /// Hears of principals from outside that are not kept any more: their numbers, sorted.
    void on_forgotten(std::function<void(std::vector<std::uint32_t>)> f) {
        lives_.on_forgotten(std::move(f));
    }
    /// Principals from outside that are kept in memory now.
    std::size_t outsiders() const { return lives_.outsiders(); }
    key_desk& keys() noexcept { return keys_; }
    identity_desk& identities() noexcept { return identities_; }
    /// People at the page, and what their provider tells of them.
    page_desk& people() noexcept { return people_; }
    /// Lives that are held in memory now.
    std::size_t lives() const { return lives_.all().size(); }

private:
    void made(life_entry& m);
    void loaded(life_entry& m);
    void tick();
    std::set<life_key> shown_keys() const;
    std::optional<credential_summary> summary_of(const life_key& key) const;

    approvals& book_;
    flow_environment env_;
    vault_thread vault_;
    lock_keeper locks_;
    caller_book callers_;
    recovery_context context_;
    life_registry lives_;
    key_desk keys_;
    pending_replies replies_;
    recorder recorder_;
    audit_desk audit_;
    recovery_record record_;
    approval_ledger approvals_;
    pending_recoveries requests_;
    session_desk sessions_;
    rule_book rules_;
    identity_desk identities_;
    person_desk persons_;
    signal_desk signals_;
    page_desk people_;
    evidence_desk evidence_;
    vault_watch watch_;
    life_effects effects_;
    loop_timer ticker_;
    bool started_ = false, stopped_ = false;
    bool slow_ = false; ///< the next tick is far away
};

} // namespace reauth
