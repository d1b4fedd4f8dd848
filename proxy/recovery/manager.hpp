// The credential manager: holds a life (policy/life/credential_life.hpp) per credential and per session at an
// identity provider, brings them events and performs their actions, in order, on the control thread. It
// decides nothing.
#pragma once

#include "policy/life/call_gate.hpp"
#include "policy/life/credential_life.hpp"
#include "proxy/approval/approvals.hpp"
#include "proxy/approval/history.hpp"
#include "proxy/recovery/audit.hpp"
#include "proxy/recovery/reply.hpp"
#include "proxy/recovery/work.hpp"
#include "proxy/relay/held_request.hpp"

#include <deque>
#include <functional>
#include <map>
#include <set>

namespace reauth {

/// Lives on the control thread; ask(), abandon() and renew_ahead() may be called from anywhere.
class credential_manager final : public recovery_service, public approval_actions, private session_source {
public:
    /// Makes a snapshot visible to every worker before anything that is posted to it later.
    using publisher = std::function<void(std::size_t number, snapshot_ptr snapshot)>;

    credential_manager(asio::io_context& control, fetcher& network, credential_store& store, approvals& book,
                       flow_environment env, publisher publish);
    ~credential_manager() override;

    /// The first configuration, before anything runs: reads the vault for every life of the table and
    /// publishes.
    result<void> start(std::shared_ptr<const routing_table> table);
    /// Another configuration. What the vault holds for new lives is read in the background.
    void use(std::shared_ptr<const routing_table> table);
    /// The one clock: expiry, retries, locks, files of supplied tokens. Called every second by a timer of its
    /// own, and by tests that crank the clock by hand.
    void pass_time();
    /// Ends: who waits is answered, nothing is started any more.
    void stop();
    /// Nothing that spends or brings a token is under way.
    bool quiet() const;

    void ask(std::shared_ptr<held_request> held) override;
    void abandon(std::shared_ptr<held_request> held) override;
    void renew_ahead(target where, std::uint64_t generation) override;

    task<result<approve_answer>> approve(std::string id, approver who, bool from_page,
                                         sign_in_method method = sign_in_method::as_configured) override;
    result<void> deny(std::string id) override;
    task<callback_outcome> callback(callback_parameters parameters,
                                    std::optional<std::string> browser_binding) override;
    task<bool> knows_flow(std::string state) override;
    task<result<std::string>> login(std::string upstream, std::string principal) override;
    task<result<revocation_report>> logout(std::string upstream, std::string principal) override;
    task<result<revocation_report>> logout_idp(std::string identity_provider, std::string principal) override;
    task<result<void>> remember(std::string approval_id) override;
    std::vector<remembered_rule> rules() const override;
    task<result<void>> revoke_rule(std::string id) override;
    task<bool> keep_page_link(std::string digest, time_point until) override;
    task<bool> take_page_link(std::string digest) override;

    /// Called once for each approval that a person has to hear of, by one process of all on the vault.
    void on_announce(std::function<void(const approval&, const config&)> tell) { tell_ = std::move(tell); }
    /// A request is held here for that approval.
    bool anybody_waits(const std::string& approval) const;
    const history& past() const noexcept { return past_; }

    std::vector<credential_summary> summaries() const;
    std::vector<idp_session_summary> idp_sessions() const;
    /// Names of upstreams and identity providers whose credential is used from memory because it can't be
    /// stored.
    std::vector<std::string> unsaved() const;
    /// What is wrong with the vault, as far as was seen last; nothing: it works.
    const std::optional<failure>& vault_trouble() const noexcept { return vault_trouble_; }
    const recovery_counters& counters() const noexcept { return counters_; }

private:
    /// Principal, then the upstream's or identity provider's name.
    struct life_key {
        bool session = false;
        std::string principal, name;
        friend auto operator<=>(const life_key&, const life_key&) = default;
    };
    struct member {
        life_key key;
        credential_life machine;
        life_place place;
        std::size_t number = 0; ///< of the credential, as workers know it
        last_outcome last;
        bool removed = false;
        std::optional<time_point> running_since; ///< of the silent step under way
        bool no_new_id_token =
            false; ///< the provider renews without a new ID token: the refresh token is the subject
        std::optional<std::pair<life::work_id, reply<bool>>> flight_watch;
        std::string supply_seen; ///< of a supplied token: its file's time of change
    };

    struct known_provider {
        authorization_server server;
        time_point since{};
    };

    // manager.cpp: who there is
    void configure(bool first);
    void configure_member(const life_key& key, life_place place, std::size_t number, bool first);
    life_place place_of(const route& r, std::size_t principal) const;
    life_place place_of_session(const std::string& provider, const std::string& principal) const;
    result<void> load_now(member& m);
    task<void> load_later(life_key key);
    member* find(const life_key& key);
    const member* find(const life_key& key) const;
    member* with_question(const std::string& approval);
    member* session_of_member(const member& m);
    void tick();
    void look_at_supply(member& m);

    // manager_events.cpp: events in, actions out
    void tell(const life_key& key, life_event event);
    void after(std::function<void()> then);
    void drain();
    void perform_all(member& m, life_actions actions);
    void spawn(const life_key& key, task<life_event> work);
    task<void> carry_out(life_key key, task<life_event> work);
    void watch_flight(member& m);

    void perform(member& m, const life::discover& a);
    void perform(member& m, const life::lock& a);
    void perform(member& m, const life::unlock& a);
    void perform(member& m, const life::look& a);
    void perform(member& m, const life::run& a);
    void perform(member& m, const life::store& a);
    void perform(member& m, const life::undo_store& a);
    void perform(member& m, const life::begin_sign_in& a);
    void perform(member& m, const life::await_device& a);
    void perform(member& m, const life::release_binding& a);
    void perform(member& m, const life::redeem& a);
    void perform(member& m, const life::erase& a);
    void perform(member& m, const life::revoke& a);
    void perform(member& m, const life::retire& a);
    void perform(member& m, const life::wake& a);
    void perform(member& m, const life::publish& a);
    void perform(member& m, const life::show& a);
    void perform(member& m, const life::discard_pending& a);
    void perform(member& m, const life::answer& a);
    void perform(member& m, const life::tell_waiting& a);
    void perform(member& m, const life::answer_approve& a);
    void perform(member& m, const life::answer_deny& a);
    void perform(member& m, const life::answer_callback& a);
    void perform(member& m, const life::answer_login& a);
    void perform(member& m, const life::answer_sign_out& a);
    void perform(member& m, const life::ask_session& a);
    void perform(member& m, const life::question_refused& a);
    void perform(member& m, const life::audit& a);
    std::string lock_name(const member& m) const;
    void tell_session_to_all(const member& session);
    void tell_session(const member& session, const life_key& to);
    std::string subject_of(const member& m) const;

    // manager_news.cpp: what other processes on the vault do
    void listen();
    task<void> hear_all();
    task<void> hear_credential(life_key key, std::string issuer);
    task<void> hear_question(std::string key);
    void tell_question(shared_question told);
    void take_up_questions();
    task<void> share(shared_question mine, bool fresh);
    void announce(const approval& a);
    void note_vault(const std::optional<failure>& trouble);

    // manager_calls.cpp: calls that a person approves before they are sent
    /// The key is that of the same upstream's credential.
    call_gate& gate_for(const life_key& key);
    void tell_gate(const life_key& key, gate::event event);
    void perform_gate(const life_key& key, const gate::take& a);
    template<class A>
    void perform_gate(const life_key& key, const A& a);
    task<void> take_call(life_key key, gate::take what);
    const life_key* call_with(const std::string& approval) const;
    gate::target gate_target(const life_place& place) const;

    // manager_rules.cpp: what people have said once for all
    void take_rules(result<std::vector<remembered_rule>> found);
    task<void> hear_rules();

    // manager_requests.cpp: held requests
    void arrive(std::shared_ptr<held_request> held);
    void looked_at(const std::string& approval);

    // manager_sessions.cpp: the sessions that others are minted from
    task<result<idp_session>> usable_session(std::string provider, std::string principal,
                                             std::uint64_t refused) override;
    void session_dead(const std::string& provider, const std::string& principal,
                      std::uint64_t generation) override;
    task<result<authorization_server>> provider_metadata(std::string provider,
                                                         std::string principal) override;
    task<life::answer> renew_session(life_key key, std::uint64_t generation, bool refused);

    // manager_api.cpp
    failure unknown_upstream(const std::string& upstream, const std::string& principal) const;
    task<callback_outcome> finish_callback(pending_authorization pending, callback_parameters parameters,
                                           std::optional<std::string> browser_binding);
    callback_outcome lost_callback(const std::string& state) const;
    task<result<revocation_report>> sign_out(life_key key);
    task<parsed_challenge> challenge_of(life_place place);

    asio::io_context& control_;
    credential_store& store_;
    approvals& book_;
    flow_environment env_;
    publisher publish_;
    vault_thread vault_;
    lock_keeper locks_;
    recovery_context context_;
    std::shared_ptr<const routing_table> table_;
    std::map<life_key, std::unique_ptr<member>> lives_;
    std::map<std::string, life_key> asked_by_; ///< open approvals → whose they are
    std::map<life_key, std::unique_ptr<call_gate>> gates_;
    std::map<std::string, life_key> calls_asked_by_; ///< open approvals of calls → whose they are
    std::deque<std::pair<std::string, std::string>>
        ended_states_; ///< digest of a discarded flow's state, its approval
    std::deque<std::function<void()>> queue_;
    bool draining_ = false;
    std::uint64_t next_ = 1; ///< numbers requests and callers

    std::map<life::request_id, std::shared_ptr<held_request>> held_;
    std::map<life::request_id, reply<life::answer>> renewals_;
    std::map<life::caller_id, reply<result<approve_answer>>> approve_callers_;
    std::map<life::caller_id, reply<callback_outcome>> callback_callers_;
    std::map<life::caller_id, reply<result<std::string>>> login_callers_;
    std::map<life::caller_id, reply<result<revocation_report>>> sign_out_callers_;
    std::map<life::caller_id, life_key> lives_asking_; ///< a life that waits for another's login
    std::optional<result<void>> denied_;               ///< the answer to the deny under way
    std::map<std::string, known_provider> providers_;  ///< by issuer

    remembered_rules remembered_;
    history past_;
    std::function<void(const approval&, const config&)> tell_;
    recovery_counters counters_;
    loop_timer ticker_, listener_;
    std::optional<failure> vault_trouble_; ///< of the last reading or writing
    bool stopped_ = false;
};

/// What workers attach: the credential with its header line and its times on the steady clock.
snapshot_ptr make_snapshot(credential held, bool renewable, std::chrono::milliseconds refresh_ahead,
                           time_point now);

} // namespace reauth
