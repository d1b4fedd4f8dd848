// The life of one (principal, upstream)'s credential: a machine without sockets, clock or threads. Events in,
// actions out (in the manner of boostorg/redis' connection FSM). It is the only owner of this state: nothing
// else changes it, it calls nothing, and nobody keeps a reference into it. Work of an older epoch (before a
// sign-out or a changed upstream) or of an approval that has ended is undone when it comes home: a token is
// revoked, a lock given back.
#pragma once

#include "core/crypto/random.hpp"
#include "policy/life/life_actions.hpp"
#include "policy/life/life_parts.hpp"
#include "policy/rules/denial.hpp"

#include <deque>
#include <list>
#include <map>

namespace reauth {

class credential_life {
public:
    /// At most so many approvals wait at once; a wider one takes the place of narrower ones.
    static constexpr std::size_t questions_at_once = 5;
    /// A refresh token that was refused without a word of its own is not sent again before this is over.
    static constexpr std::chrono::seconds refresh_pause{60};
    /// Known metadata is asked for again after this.
    static constexpr std::chrono::minutes metadata_lifetime{15};

    credential_life(life::target whose, random_source random);

    /// One step. Never blocks, never throws for what comes from outside.
    life_actions on(const life_event& event, time_point now);

    // What the rest of the program may look at between steps.
    const life::target& whose() const noexcept { return target_; }
    /// nullptr: nothing is held.
    const credential* held() const noexcept { return held_ ? &held_->value : nullptr; }
    bool renewable() const;
    /// false: the credential in force could not be stored yet.
    bool saved() const noexcept { return !held_ || held_->saved; }
    std::uint64_t epoch() const noexcept { return epoch_; }
    std::size_t waiting_requests() const noexcept { return requests_.size(); }
    /// The silent work under way; 0: none.
    life::work_id flight() const noexcept { return flight_ ? flight_->id : 0; }
    /// Nothing is under way and nobody waits but for a person.
    bool quiet() const noexcept { return !flight_ && works_.empty() && !unsaved_ && !signing_in(); }

private:
    using held_lock = life::held_lock;
    using transient_trouble = life::transient_trouble;
    using ended_question = life::ended_question;
    using unsaved_credential = life::unsaved_credential;
    using sign_out = life::sign_out;
    struct holding {
        credential value;
        bool saved = true;
        bool refresh_dead = false;  ///< its refresh token was refused for good
        time_point refresh_again{}; ///< … or for now: not sent before this
        std::optional<recovery_step> obtained_by;
    };
    enum class waits { nothing, discovery, look, flight, question, session, pause, anything };
    struct held_request {
        life::request_id id = 0; ///< 0: a renewal ahead of time or a login; nobody hears its end
        life::refusal what;
        std::uint64_t arrived = 0;
        waits on = waits::nothing;
        life::work_id work = 0;
        time_point again{}; ///< while it waits for the pause's end
        std::string approval;
        scope_set wanted; ///< while it waits on the flight: what it asked for
        bool discovered = false, looked = false;
        bool asked = false;  ///< a person was waited for
        bool agreed = false; ///< … and signed in for it at the IdP
        std::optional<failure> silent_failure;
        std::optional<life::caller_id> login; ///< an operator's wish, or another life's
        bool for_life = false, login_answered = false;
        wait_settings wait; ///< while a person is waited for
        std::vector<std::string> required_scopes;
        std::string reason;
        std::string shown_upstream;
    };
    using flight_phase = life::flight_phase;
    using silent_flight = life::silent_flight;
    enum class question_phase { pending, starting, authorizing, redeeming, storing, minting, at_idp };
    struct starter {
        life::caller_id caller;
        approver who;
        bool from_page;
        sign_in_method method = sign_in_method::as_configured;
    };
    struct question {
        approval shown;
        question_phase phase = question_phase::pending;
        life::work_id work = 0;
        scope_set login_scopes, silent_scopes;
        std::vector<recovery_step> silent; ///< `confirm`: to be run once a person agreed
        recovery_step person = recovery_step::login;
        bool step_up = false;
        std::string rule;
        life::refusal what;
        std::uint64_t base_generation = 0; ///< the vault's when it was opened
        std::vector<starter> starters;     ///< whose approve is not answered yet
        secret pending_state;
        std::string redirect_uri;      ///< of that flow
        life::work_id device_wait = 0; ///< the token endpoint is asked for it
        std::optional<secret> browser_binding;
        std::optional<life::caller_id> callback;
        registered_client client;      ///< the callback's
        std::string resource_metadata; ///< where another process has found its server
        std::optional<credential> fresh;
    };
    enum class work_kind { discovery, look, erase, revoke };

    // credential_life.cpp: dispatch, what is in force, time
    void handle(const life::loaded& e);
    void handle(const life::news& e);
    void handle(const life::supplied& e);
    void handle(const life::found_dead& e);
    void handle(const life::remembered& e) { remembered_ = e.rules; }
    void handle(const life::time_passed& e);
    void handle(const life::stopping& e);
    void settle();
    bool signing_in() const noexcept;
    bool bound(const credential& c) const;
    bool newer_than_held(std::uint64_t generation) const;
    bool spent(const credential& c) const;
    bool refreshable() const;
    void remember_server(credential& fresh, const life::server_ptr& by_flow);
    void recall_server();
    void note_answer(const life::flow_ended& e);
    bool foreign_tombstone(const life::stored_state& state) const;
    bool overtakes(const life::stored_state& state) const;
    void take_into_force(credential c, bool saved, std::optional<recovery_step> how);
    void drop_held();
    bool stays_in_force(const credential& c) const;
    void give_up(credential unwanted, life::server_ptr server = {},
                 std::optional<registered_client> client = {});
    bool adopt(const life::stored_state& state);
    std::uint64_t next_generation() const;
    template<class A>
    void emit(A action) {
        out_.push_back(std::move(action));
    }
    void later(life_action action) { last_.push_back(std::move(action)); }
    void report(life::audit::kind what, std::string how, const failure* why, std::string rule = {},
                std::string detail = {}, std::string client = {});

    // life_requests.cpp, life_pauses.cpp, life_discovery.cpp: who waits, and the judgement
    void handle(const life::refused& e);
    void handle(const life::withdrawn& e);
    void handle(const life::renewal_due& e);
    void handle(const life::discovered& e);
    void consider(life::request_id id, std::uint64_t arrived);
    bool pauses_first(held_request& r);
    void end_pauses();
    bool needs_discovery(held_request& r);
    void start_discovery(const std::string& resource_metadata);
    void note_servers(approval& a) const;
    recovery_facts facts_of(const held_request& r) const;
    judgement_facts situation_of(const held_request& r) const;
    void act(held_request& r, const judgement& j);
    void ask(held_request& r, const judgement& j);
    void look_first(held_request& r);
    void replay(held_request& r);
    void tell_waiting(const held_request& r, const std::string& approval, std::string trouble = {});
    void fail(held_request& r, failure why, const challenge_facts* facts = nullptr);
    void drop_request(const held_request& r);
    held_request* find_request(std::uint64_t arrived);
    void release_served();
    final_key key_of(const held_request& r) const;

    // life_session.cpp: logins without a request, and the session that others are minted from
    void handle(const life::login_asked& e);
    void handle(const life::session_changed& e);
    void handle(const life::session_asked& e);
    void handle(const life::session_refused& e);
    void consider_login(held_request& r);
    void want_session(held_request& r);
    void tell_session(held_request& r);
    bool session_usable() const;

    // life_flight.cpp, life_flight_end.cpp, life_unsaved.cpp: silent work, one at a time
    void handle(const life::locked& e);
    void handle(const life::looked& e);
    void handle(const life::flow_ended& e);
    void handle(const life::stored& e);
    void make_flight(std::vector<recovery_step> steps, scope_set scopes, std::string rule,
                     std::string approval);
    void launch_flight();
    void look_under_lock();
    void flight_looked(const life::looked& e);
    void next_step();
    void step_failed(const life::flow_ended& e);
    void store_flight();
    void flight_stored(const life::stored& e);
    void end_flight(const failure* why);
    void note_transient(const failure& why);
    void drop_flight(bool held_stays);
    std::optional<credential> to_put_back() const;
    bool spends_refresh_token(const silent_flight& f) const;
    void give_back(held_lock lock);
    void retry_unsaved();
    void renumber_held();
    void forget_unsaved();
    void unsaved_stored(const life::stored& e);
    void keep_unsaved(const failure& why, held_lock lock, bool pin);

    // life_questions.cpp: what a person is asked
    void handle(const life::approve_asked& e);
    void handle(const life::deny_asked& e);
    void show(const question& q);
    std::vector<std::string> narrower_than(const question& wanted) const;
    void count_denial(const question& q);
    result<std::string> open_question(const held_request& r, const recovery_plan& plan, bool confirm_first,
                                      const std::string& rule);
    std::string joinable(const question& wanted) const;
    scope_set asked_scopes(const recovery_plan& plan) const;
    void move_waiting(const std::string& from, const std::string& to);
    void answer_starters(question& q, const result<approve_answer>& answer);
    scope_set asked_now(const question& q) const;
    void end_question(const std::string& id, approval_status status, std::string outcome, failure why,
                      bool share = true);
    void answer_covered(std::string outcome);
    void expire_questions();
    void confirmed_flight_ended(const std::string& approval, const failure* why);
    void start_confirmed();
    void remember_ended(const approval& a);

    // life_shared.cpp: the questions of other processes
    void handle(const life::question_news& e);
    shared_question shared(const question& q) const;
    void ended_elsewhere(const shared_question& told);
    void opened_elsewhere(const shared_question& told);
    bool knows_server_for(question& q);

    // life_sign_in.cpp, life_device.cpp: the provider's login, there and back
    void handle(const life::sign_in_begun& e);
    void handle(const life::binding_released& e);
    void handle(const life::callback_arrived& e);
    void redeemed(question& q, const life::flow_ended& e);
    void redemption_failed(question& q, const life::flow_ended& e);
    void login_stored(question& q, const life::stored& e);
    void login_done(question& q, bool saved);
    question* with_work(life::work_id work);
    void give_location(question& q, const starter& s);
    void watch_device(question& q);
    void device_ended(question& q, const life::flow_ended& e);
    void back_to_pending(question& q, std::string outcome);
    void tell_who_waits(const question& q, const std::string& trouble);

    // life_sign_out.cpp: the end of a life, and a new epoch
    void handle(const life::sign_out_asked& e);
    void handle(const life::erased& e);
    void handle(const life::revoked& e);
    void handle(const life::reconfigured& e);
    void handle(const life::removed& e);
    void begin_epoch();
    void end_questions(approval_status status, const std::string& outcome, const failure& why);
    void signed_out_elsewhere();
    void answer_sign_outs();
    void bury(sign_out s);
    void retry_burials();
    bool storing() const;
    void take_locks(sign_out& s);
    void judge_anew();
    void move_away(const std::string& what);

    life::target target_;
    random_source random_;
    time_point now_{};
    life_actions out_, last_; ///< of the step under way; `last_` go behind the answers
    std::uint64_t next_ = 1;  ///< numbers works and arrivals
    std::uint64_t epoch_ = 1;
    bool all_ends_ = false; ///< a sign-out is on its way through: nothing stays in force

    std::optional<holding> held_;
    std::uint64_t vault_generation_ = 0; ///< the highest that the vault is known to hold, tombstones included
    std::uint64_t signed_out_at_ =
        0; ///< what has no higher generation was signed out of, whatever the vault says
    std::string pinned_issuer_;
    life::server_ptr server_;
    time_point discovered_at_{};
    std::string discovered_from_, discovering_from_;
    std::uint64_t doubted_generation_ = 0; ///< whose refusal before its time made us discover anew
    bool prompt_login_ = false; ///< the provider wants the person to sign in again, though its session lives
    bool register_scopes_ = false; ///< the next registration names scopes
    std::string interrupted_note_; ///< for the question that comes of an interrupted refresh
    bool challenged_dpop_ = false, challenged_bearer_ = true;
    life::session_changed session_;

    std::list<held_request> requests_;
    std::map<life::work_id, work_kind> works_; ///< under way, besides flight, questions and stores
    life::work_id discovery_ = 0, look_ = 0;
    bool session_wanted_ = false;
    std::string session_approval_; ///< the identity provider's question that is waited for
    std::optional<silent_flight> flight_;
    std::map<life::work_id, secret> sent_; ///< refresh tokens on their way
    std::deque<secret> spent_;             ///< … that an answer came to: never sent again
    std::optional<unsaved_credential> unsaved_;
    std::map<std::string, question> questions_;
    std::map<life::work_id, std::vector<std::pair<std::string, starter>>> releasing_;
    std::map<life::work_id, life::undo_store> void_stores_; ///< stores of questions that ended while they ran
    std::map<std::string, ended_question> ended_;
    std::vector<std::string> ended_order_;
    std::list<sign_out> sign_outs_;
    transient_trouble transient_, metadata_trouble_;
    life::fresh_refusals fresh_refusals_;
    remembered_rules remembered_;
    final_memory finals_;
    denial_backoff denials_;
    std::map<std::string, std::uint64_t> denied_; ///< scopes of a login → when it was last denied, by `next_`
};

} // namespace reauth
