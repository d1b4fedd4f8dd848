// The recovery desk: one flight per credential, joined by everyone who waits for it; approvals where a person
// must decide.
#pragma once

#include "conf/config.hpp"
#include "policy/authorization_flow.hpp"
#include "policy/flow_environment.hpp"
#include "policy/trust.hpp"
#include "proxy/approval/approvals.hpp"
#include "proxy/recovery/account.hpp"
#include "proxy/recovery/fetcher.hpp"
#include "proxy/recovery/flow_driver.hpp"
#include "proxy/recovery/idp_desk.hpp"
#include "proxy/recovery/vault_thread.hpp"
#include "proxy/relay/ticket.hpp"
#include "proxy/vault/credential_store.hpp"

#include <functional>
#include <map>

namespace reauth {

/// Counters for /metrics and tests; control thread.
struct desk_counters {
    std::uint64_t refreshes = 0, refresh_failures = 0, machine_tokens = 0, mints = 0, logins = 0,
                  step_ups = 0, approvals = 0, denials = 0, joined = 0;
};

/// Lives on the control thread; ask(), abandon() and renew_ahead() may be called from anywhere.
class recovery_desk final : public recovery_service, public approval_actions {
public:
    /// Makes a snapshot visible to every worker before anything that is posted to it later.
    using publisher = std::function<void(std::size_t slot, snapshot_ptr snapshot)>;

    recovery_desk(asio::io_context& control, fetcher& network, credential_store& store, approvals& questions,
                  flow_environment env, publisher publish);
    ~recovery_desk() override;

    /// The configuration for whatever is not tied to a request (start, login, summaries).
    void use(std::shared_ptr<const routing_table> table);
    /// Loads what the vault holds for every account of the table and publishes it. Call before accepting.
    result<void> load();
    /// Ends: nothing is started any more.
    void stop();

    void ask(std::shared_ptr<recovery_ticket> ticket) override;
    void abandon(std::shared_ptr<recovery_ticket> ticket) override;
    void renew_ahead(std::shared_ptr<const routing_table> table, const route* upstream, std::size_t principal,
                     std::uint64_t generation) override;

    task<result<approve_answer>> approve(std::string id, approver who, bool from_page) override;
    result<void> deny(std::string id) override;
    task<callback_outcome> callback(callback_parameters parameters,
                                    std::optional<std::string> browser_binding) override;
    task<result<std::string>> login(std::string upstream, std::string principal) override;
    task<result<void>> logout(std::string upstream, std::string principal) override;
    task<result<void>> logout_idp(std::string identity_provider, std::string principal) override;

    std::vector<credential_summary> summaries() const;
    std::vector<idp_session_summary> idp_sessions() const { return idps_.summaries(); }
    const desk_counters& counters() const noexcept { return counters_; }

private:
    struct silent_job;

    // desk.cpp: who waits, and what happens to them
    account& account_of(const route& r, std::size_t principal, const config& settings);
    void arrive(std::shared_ptr<recovery_ticket> ticket);
    void leave(const std::shared_ptr<recovery_ticket>& ticket);
    task<void> serve(account& a);
    task<void> consider(account& a, std::shared_ptr<recovery_ticket> ticket);
    void settle(account& a);
    void finish(account& a, const std::shared_ptr<recovery_ticket>& ticket, recovery_verdict verdict);
    void fail(account& a, const std::shared_ptr<recovery_ticket>& ticket, failure why,
              const challenge_facts* facts = nullptr);
    waiting_ticket* entry_of(account& a, const recovery_ticket& ticket);
    recovery_facts facts_for(const account& a, const recovery_ask& ask) const;
    static challenge_facts policy_facts(const account& a, const recovery_ask& ask, const recovery_plan& plan);

    // desk_silent.cpp: what needs no person
    task<result<void>> ensure_server(account& a, const config& settings, const route& r,
                                     std::string resource_metadata);
    task<result<void>> run_silent(account& a, const config& settings, const route& r, std::vector<rung> rungs,
                                  scope_set scopes);
    task<result<credential>> run_rung(account& a, const config& settings, const route& r, rung what,
                                      scope_set scopes);
    task<result<credential>> refresh(account& a, const config& settings, const route& r, credential held);
    task<result<registered_client>> client_for(account& a, const config& settings, const route& r);
    task<result<void>> keep(account& a, const config& settings, credential fresh, rung how);
    void adopt(account& a, const config& settings, credential held, std::optional<rung> how);
    task<void> renew(account& a, std::shared_ptr<const routing_table> table, const route* r);
    task<std::optional<credential>> newer_in_vault(account& a);
    task<result<void>> reread_token(account& a, const config& settings, const route& r);

    // desk_person.cpp: what needs one
    result<std::string> open_approval(account& a, std::shared_ptr<const routing_table> table, const route& r,
                                      std::size_t principal, const recovery_plan& plan, rule_action action,
                                      const recovery_ask* ask);
    task<result<approve_answer>> start_login(account& a, open_question& q, bool from_page);
    task<result<approve_answer>> publish_pending(account& a, std::string id, begun_authorization begun,
                                                 bool from_page);
    task<callback_outcome> finish_callback(pending_authorization pending, authorization_callback arrived,
                                           std::optional<std::string> browser_binding,
                                           callback_outcome outcome);
    task<result<approve_answer>> complete_silently(account& a, std::string id);
    void decided(account& a, const std::string& id, approval_status status, std::string outcome, failure why);
    account* account_with(const std::string& approval_id);
    void watch_expiry();

    // desk_enterprise.cpp: what the session at the organisation's IdP is good for
    task<result<credential>> mint(account& a, const config& settings, const route& r, scope_set scopes);
    task<void> look_at_idp(const account& a, const config& settings, const route& r);
    void add_idp_facts(recovery_facts& f, const account& a, const config& settings, const route& r) const;
    bool person_helps(const account& a, const config& settings, const route& r) const;
    void audit(const account& a, const credential& fresh, rung how) const;

    // desk_idp_login.cpp: the login there, one for all its upstreams
    const std::string* idp_question(const account& a, const route& r) const;
    void show_idp(approval& shown, const config& settings, const route& r) const;
    void release_idp(const std::string& principal, const std::string& identity_provider, const account* but);
    void serve_soon(account& a);
    task<result<approve_answer>> start_idp_login(account& a, std::string id, bool from_page);
    task<callback_outcome> finish_idp_callback(pending_authorization pending, authorization_callback arrived,
                                               std::optional<std::string> browser_binding,
                                               callback_outcome outcome);

    fetch_options options_for(const config& settings, const route& r) const;
    trust_question trust_for(const route& r, const char* what) const;
    void note(account& a, std::string_view recovery, const failure* why);

    asio::io_context& control_;
    fetcher& network_;
    credential_store& store_;
    approvals& approvals_;
    flow_environment env_;
    publisher publish_;
    vault_thread vault_;
    std::shared_ptr<const routing_table> table_;
    std::map<std::pair<std::string, std::string>, std::unique_ptr<account>> accounts_;
    final_memory finals_;
    desk_counters counters_;
    std::uint64_t clock_ = 0; ///< counts arrivals and ends of flights
    std::string holder_;      ///< our name on leases
    idp_desk idps_;
    control_timer ticker_;
    bool stopped_ = false;
};

} // namespace reauth
