// The world of one credential's life: server, vault, persons, clients. Works that the life asks for stay
// pending until a test ends them, in any order.
#pragma once

#include "core/text/uri.hpp"
#include "tests/support/life_world_parts.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace reauth::test {

/// How a piece of work ends.
enum class ending { well, trouble, refusal };

class life_world {
public:
    /// `common`: what several processes share; `process` tells them apart.
    explicit life_world(credential_binding whose = world_target(),
                        std::shared_ptr<world_commons> common = std::make_shared<world_commons>(),
                        unsigned process = 0)
        : machine(std::move(whose), [this](std::size_t n) { return random(n); }), commons(std::move(common)),
          process_(process) {}
    life_world(const life_world&) = delete;

    // what happens
    void tell(life_event e) {
        server.now = now;
        server.resource = machine.whose().url;
        const bool moving =
            std::holds_alternative<life::reconfigured>(e) || std::holds_alternative<life::removed>(e);
        const auto epoch = machine.epoch();
        auto actions = machine.on(e, now);
        // what the vault holds for an origin comes back with that origin; a sign-out ends it for good
        if (machine.epoch() != epoch)
            for (auto& i : issued)
                i.survives = moving && (i.survives || i.epoch == epoch) &&
                             (!i.ours || was_in_force.contains(std::string(i.value.access_token.reveal())));
        take(std::move(actions));
        for (const auto& [id, a] : open)
            for (const auto& [other_id, other] : open)
                demand(id == other_id || !(asked_by(other) == asked_by(a)) ||
                           other.completes_without_login != a.completes_without_login,
                       "two approvals for the same scopes");
    }
    /// What an approval was opened for: sent to the provider it asks for what is granted by then, too.
    scope_set asked_by(const approval& a) const {
        if (const auto known = commons->opened_for.find(a.id); known != commons->opened_for.end())
            return known->second;
        return a.requested;
    }
    void pass(std::chrono::seconds t) {
        now += t;
        tell(life::time_passed{});
    }
    /// A request that was refused; its number.
    life::request_id refuse(challenge_kind kind = challenge_kind::invalid_token, std::string scope = {},
                            person_use person = person_use::may_ask) {
        const auto id = ++requests;
        life::refused e;
        e.request = id;
        e.what.challenge.kind = kind;
        e.what.challenge.bearer = true;
        if (!scope.empty())
            e.what.challenge.scope = scope_set::parse(scope);
        if (machine.held()) {
            e.what.sent_generation = e.what.first_generation = machine.held()->generation;
        } else if (kind != challenge_kind::insufficient_scope) {
            e.what.challenge.kind = challenge_kind::unauthorized;
        }
        e.what.person = person;
        e.what.had_worked = had_worked;
        e.what.operations.push_back({"tools/call", "echo"});
        waiting.insert(id);
        tell(e);
        return id;
    }
    void withdraw(life::request_id id) {
        waiting.erase(id);
        withdrawn.insert(id);
        tell(life::withdrawn{id});
    }
    life::caller_id approve(const std::string& id, approver who = approver::operator_token,
                            bool from_page = false, sign_in_method method = sign_in_method::as_configured) {
        const auto caller = ++callers;
        approvers.insert(caller);
        tell(life::approve_asked{caller, id, who, from_page, method});
        return caller;
    }
    life::caller_id deny(const std::string& id) {
        const auto caller = ++callers;
        if (auto q = open.find(id); q != open.end())
            ended_questions.insert(id);
        tell(life::deny_asked{caller, id});
        return caller;
    }
    life::caller_id sign_out() {
        const auto caller = ++callers;
        tell(life::sign_out_asked{caller});
        return caller;
    }
    /// The company, or an operator, ends the identity behind it.
    life::caller_id end_identity() {
        const auto caller = ++callers;
        tell(life::sign_out_asked{caller, true});
        return caller;
    }
    /// The person comes back from the provider for this approval; 0 if its flow is not in the vault any more.
    life::caller_id come_back(const std::string& approval) {
        const auto flow = begun.find(approval);
        if (flow == begun.end() || !vault.flows.erase(std::string(flow->second.state.reveal())))
            return 0;
        const auto caller = ++callers;
        life::callback_arrived e;
        e.caller = caller;
        e.pending = flow->second;
        tell(e);
        return caller;
    }
    /// The other process renews, if it gets the lock and holds anything.
    bool rival_renews() {
        if (vault.lock || !vault.value || !vault.writable)
            return false;
        server.now = now;
        auto fresh = server.refresh(*vault.value);
        if (!fresh)
            return false;
        fresh->origin = vault.value->origin;
        fresh->generation = ++vault.generation;
        issued.push_back({*fresh, machine.epoch(), {}, false, false});
        vault.value = fresh;
        return true;
    }
    void rival_signs_out() {
        if (!vault.writable)
            return;
        if (vault.value)
            server.revoke(*vault.value);
        vault.value.reset();
        ++vault.generation;
    }

    /// Another process on the vault acts on a question that all know: false if it is not open any more.
    bool rival_ends(const std::string& id, approval_status how) {
        const auto known = shared.find(id);
        if (known == shared.end() || decided(known->second.shown.status))
            return false;
        auto& q = known->second;
        q.shown.status = how;
        q.shown.outcome = "Decided elsewhere.";
        if (how == approval_status::denied)
            ended_questions.insert(id);
        if (!q.pending_state.empty())
            vault.flows.erase(std::string(q.pending_state.reveal()));
        tell(life::remote_approval{q});
        return true;
    }
    /// … signs in for it, and stores what came; whether we hear of the credential first is not said.
    bool rival_approves(const std::string& id, bool told_of_credential = false) {
        const auto known = shared.find(id);
        if (known == shared.end() || decided(known->second.shown.status) || !vault.writable ||
            !known->second.silent.empty())
            return false;
        server.now = now;
        server.resource = machine.whose().url;
        auto theirs = server.issue(known->second.login_scopes);
        theirs.origin = origin_of(machine.whose().url);
        theirs.generation = ++vault.generation;
        issued.push_back({theirs, machine.epoch(), {}, false, false});
        vault.value = theirs;
        vault.pinned = theirs.issuer;
        if (told_of_credential)
            tell(life::vault_changed{vault.state()});
        return rival_ends(id, approval_status::approved);
    }
    /// … sends the person to the provider.
    bool rival_begins(const std::string& id) {
        const auto known = shared.find(id);
        if (known == shared.end() || known->second.shown.status != approval_status::pending ||
            !known->second.silent.empty())
            return false;
        auto& q = known->second;
        q.shown.status = approval_status::authorizing;
        q.pending_state = secret("state-" + std::to_string(++states_));
        q.shown.location = "https://as.example/authorize?state=" + std::to_string(states_);
        pending_authorization flow;
        flow.approval_id = id;
        flow.upstream = "up";
        flow.scopes = q.login_scopes;
        flow.state = q.pending_state;
        flow.server = world_metadata().server;
        begun[id] = flow;
        vault.flows.insert(std::string(flow.state.reveal()));
        tell(life::remote_approval{q});
        return true;
    }
    /// … opens a question of its own; its id.
    std::string rival_asks(scope_set scopes) {
        approval_record q;
        q.name = "up";
        q.place = binding_place(machine.whose().url, machine.whose().resource);
        q.login_scopes = q.silent_scopes = scopes;
        q.shown.id = "rival-" + std::to_string(++states_);
        q.shown.link_secret = secret("link of " + q.shown.id);
        q.shown.upstream = "up";
        q.shown.requested = scopes;
        q.shown.created_at = now;
        q.shown.expires_at = now + machine.whose().approval_lifetime;
        shared[q.shown.id] = q;
        commons->opened_for[q.shown.id] = scopes;
        tell(life::remote_approval{q});
        return q.shown.id;
    }

    // pending work, in the order in which it was asked for
    std::size_t pending() const { return works.size(); }
    template<class A>
    const A* next_of() const {
        for (const auto& w : works)
            if (const auto* a = std::get_if<A>(&w))
                return a;
        return nullptr;
    }
    /// Ends the first pending work of this type; false if there is none.
    template<class A>
    bool end(ending how = ending::well) {
        for (std::size_t i = 0; i < works.size(); ++i)
            if (std::holds_alternative<A>(works[i])) {
                finish(i, how);
                return true;
            }
        return false;
    }
    /// Whether work number i can end now: a lock waits for whoever has it, and the vault works in order.
    bool can_finish(std::size_t i) const {
        if (std::holds_alternative<life::lock>(works[i]))
            return !vault.lock;
        const auto at_vault = [](const life_action& w) {
            return std::holds_alternative<life::store>(w) || std::holds_alternative<life::erase>(w) ||
                   std::holds_alternative<life::look>(w);
        };
        return !at_vault(works[i]) ||
               std::none_of(works.begin(), works.begin() + static_cast<std::ptrdiff_t>(i), at_vault);
    }
    void finish(std::size_t i, ending how = ending::well) {
        const auto work = works[i];
        server.now = now;
        server.resource = machine.whose().url;
        works.erase(works.begin() + static_cast<std::ptrdiff_t>(i));
        std::visit([&](const auto& a) { done(a, how); }, work);
    }
    /// Everything that can end ends well, in order.
    void settle() {
        for (int steps = 0; steps < 10'000; ++steps) {
            std::size_t i = 0;
            while (i < works.size() && !can_finish(i))
                ++i;
            if (i == works.size())
                return;
            finish(i);
        }
        throw std::runtime_error("the works do not come to an end");
    }
    /// From nothing to a credential in force, by a login.
    void sign_in(const std::string& scope = "read") {
        refuse(challenge_kind::unauthorized, scope);
        const auto id = send_to_provider();
        come_back(id);
        settle();
    }
    /// The one open question is approved, and its person is at the provider; the question's id.
    std::string send_to_provider() {
        settle();
        const auto id = only_question();
        approve(id);
        settle();
        return id;
    }
    /// Up to where a refresh, with a token that looked alive, waits for the server's answer.
    void send_refresh() {
        for (const bool done : {end<life::discover>(), end<life::lock>(), end<life::look>()})
            if (!done)
                throw std::runtime_error("no refresh was under way");
    }
    /// Another process stores what a login of its own has brought.
    void rival_stores(std::uint64_t generation, scope_set scopes = {"read"}) {
        auto theirs = server.issue(std::move(scopes));
        theirs.origin = "https://mcp.example";
        theirs.generation = vault.generation = generation;
        vault.value = theirs;
    }
    std::string only_question() const {
        if (open.size() != 1)
            throw std::runtime_error("not one open question but " + std::to_string(open.size()));
        return open.begin()->first;
    }

    credential_life machine;
    std::shared_ptr<world_commons> commons;
    world_server& server = commons->server;
    world_vault& vault = commons->vault;
    std::map<std::string, pending_authorization>& begun = commons->begun;
    time_point now = world_start;

    life_actions works;
    std::map<life::request_id, std::vector<life::answer>> answers;
    std::set<life::request_id> waiting, withdrawn;
    std::map<life::request_id, std::string> told;                ///< the approval that a request waits for
    std::map<life::request_id, life::tell_waiting> waiting_told; ///< … and all that it was told last
    std::map<std::string, approval> open, closed;
    std::map<std::string, approval_record> shared; ///< as the vault holds them, where nobody else shares
    /// On their way to the vault, where others share it; true: newly opened.
    std::deque<std::pair<approval_record, bool>> unshared;
    std::map<life::caller_id, std::vector<life::answer_approve>> approve_answers;
    std::set<life::caller_id> approvers;
    std::map<life::caller_id, std::string> passed_on; ///< to another approval
    std::map<life::caller_id, std::vector<result<void>>> deny_answers;
    std::map<life::caller_id, std::vector<result<revocation_report>>> sign_out_answers;
    bool had_worked = false;         ///< what is refused now had been taken before
    std::set<time_point> wakes;      ///< when time_passed was asked for
    std::vector<credential> retired; ///< kept for the sign-out
    std::map<life::caller_id, std::vector<callback_outcome>> callback_answers;
    std::map<life::caller_id, std::vector<result<std::string>>> login_answers;
    std::optional<credential> published;
    std::vector<life::audit> audits;
    std::vector<life::judged> judged;
    std::size_t sessions_asked = 0, runs = 0;
    life::request_id requests = 0;
    life::caller_id callers = 0;
    std::set<std::string> ended_questions; ///< denied or expired: their work is void
    std::set<std::string> answered_tokens; ///< refresh tokens to which an answer came
    struct issue {
        credential value;
        std::uint64_t epoch;
        std::string question;  ///< it was obtained for
        bool survives = false; ///< stored before its upstream was moved away
        bool ours = true;      ///< false: the other process's
    };
    bool dead(const issue& i) const {
        return (i.epoch != machine.epoch() && !i.survives) ||
               (!i.question.empty() && ended_questions.contains(i.question));
    }
    bool kept_for_sign_out(const credential& c) const {
        return std::any_of(retired.begin(), retired.end(),
                           [&](const auto& old) { return old.access_token == c.access_token; });
    }
    std::vector<issue> issued;
    std::vector<std::string> broken; ///< invariants that did not hold

    void demand(bool holds, const std::string& what) {
        if (!holds)
            broken.push_back(what);
    }

    /// What must hold whenever nothing is under way any more: nothing of the past is in force or stored, and
    /// nothing else is lost.
    void check_rest() {
        demand(works.empty() ||
                   std::none_of(works.begin(), works.end(),
                                [](const auto& w) { return !std::holds_alternative<life::lock>(w); }),
               "works are left");
        for (const auto& i : issued) {
            const bool held = machine.held() && machine.held()->access_token == i.value.access_token;
            const bool stored = vault.value && vault.value->access_token == i.value.access_token;
            demand(!(dead(i) && held), "dead, but in force");
            if (dead(i) && !moved)
                demand(!stored, "dead, but stored");
            if (dead(i) && i.ours && !was_in_force.contains(std::string(i.value.access_token.reveal())))
                demand(server.revoked(i.value) || kept_for_sign_out(i.value), "dead, but not revoked");
        }
        if (machine.held() && machine.saved() && !machine.whose().supplied)
            demand(vault.generation >= machine.held()->generation, "said to be saved, but is not");
        for (auto id : waiting)
            demand(!withdrawn.contains(id), "waits although withdrawn");
        demand(machine.quiet(), "something is under way");
        for (auto caller : approvers)
            demand(approve_answers.contains(caller), "an approve is left without an answer");
    }
    bool moved = false; ///< the upstream was given another origin: what the vault holds for the old one stays
    std::set<std::string> was_in_force;

private:
    std::string random(std::size_t n) {
        std::string bytes(n, '\0');
        ++draws_;
        const auto drawn = draws_ + (process_ << 24);
        for (std::size_t i = 0; i < n; ++i)
            bytes[i] = static_cast<char>((drawn >> (8 * (i % 4))) & 0xff);
        return bytes;
    }
    life::work_id lock_of(life::work_id work) const {
        return work | static_cast<life::work_id>(process_) << 32;
    }
    void take(life_actions actions) {
        for (auto& a : actions)
            std::visit([this](auto& one) { perform(one); }, a);
    }

    // at once
    void perform(life::publish& a) {
        published = a.held;
        if (!a.held)
            return;
        was_in_force.insert(std::string(a.held->access_token.reveal()));
        const bool stored = vault.generation >= a.held->generation;
        demand(stored || !machine.saved() || machine.whose().supplied, "used before it was stored");
        for (const auto& i : issued)
            if (i.value.access_token == a.held->access_token)
                demand(!dead(i), "of an older epoch or an ended approval, but in force");
    }
    void perform(life::show& a) {
        if (a.share) {
            shared[a.now.id] = *a.share;
            commons->opened_for[a.now.id] = a.share->login_scopes;
            const bool known = open.contains(a.now.id) || closed.contains(a.now.id);
            unshared.emplace_back(*a.share, !known && !decided(a.now.status));
        }
        if (decided(a.now.status)) {
            open.erase(a.now.id);
            closed[a.now.id] = a.now;
            if (a.now.status != approval_status::approved)
                ended_questions.insert(a.now.id);
            return;
        }
        open[a.now.id] = a.now;
    }
    void perform(life::discard_pending& a) { vault.flows.erase(std::string(a.state.reveal())); }
    void perform(life::answer& a) {
        answers[a.request].push_back(a);
        demand(answers[a.request].size() == 1, "answered twice");
        demand(!withdrawn.contains(a.request), "answered although withdrawn");
        waiting.erase(a.request);
    }
    void perform(life::tell_waiting& a) {
        told[a.request] = a.approval;
        waiting_told.insert_or_assign(a.request, a);
    }
    void perform(life::answer_approve& a) { perform_answer(a.caller, a); }
    void perform_answer(life::caller_id caller, life::answer_approve a) {
        a.caller = caller;
        approve_answers[caller].push_back(std::move(a));
        demand(approve_answers[caller].size() == 1, "approve answered twice");
    }
    void perform(life::pass_on_approve& a) {
        passed_on[a.wish.caller] = a.wish.approval;
        perform_answer(a.wish.caller, {});
    }
    void perform(life::take_call&) {}
    void perform(life::answer_deny& a) { deny_answers[a.caller].push_back(a.answer); }
    void perform(life::answer_callback& a) {
        callback_answers[a.caller].push_back(a.answer);
        demand(callback_answers[a.caller].size() == 1, "callback answered twice");
    }
    void perform(life::answer_login& a) { login_answers[a.caller].push_back(a.answer); }
    void perform(life::answer_sign_out& a) {
        sign_out_answers[a.caller].push_back(a.answer);
        demand(sign_out_answers[a.caller].size() == 1, "sign-out answered twice");
    }
    void perform(life::ask_session&) { ++sessions_asked; }
    void perform(life::approval_refused&) {}
    void perform(life::judged& a) { judged.push_back(std::move(a)); }
    void perform(life::audit& a) { audits.push_back(std::move(a)); }
    void perform(life::unlock& a) {
        if (vault.lock == lock_of(a.work))
            vault.lock.reset();
    }
    void perform(life::undo_store& a) { vault.undo(a); }
    void perform(life::wake& a) { wakes.insert(a.at); }
    void perform(life::retire& a) { retired.push_back(a.value); }
    /// Revoked by grant: what is in force would end with it.
    void perform(life::revoke& a) {
        demand(a.everything || !machine.held() || machine.held()->issuer != a.value.issuer,
               "revoked beside what is in force");
        works.push_back(a);
    }

    // later
    void perform(life::run& a) {
        ++runs;
        demand(a.work == machine.flight(), "silent work beside the one flight");
        if (a.step == recovery_step::refresh)
            demand(a.held && !answered_tokens.contains(std::string(a.held->refresh_token.reveal())),
                   "a spent refresh token is sent again");
        epochs_[a.work] = machine.epoch();
        works.push_back(a);
    }
    void perform(life::redeem& a) {
        epochs_[a.work] = machine.epoch();
        works.push_back(a);
    }
    void perform(life::await_device& a) {
        epochs_[a.work] = machine.epoch();
        works.push_back(a);
    }
    template<class A>
    void perform(A& a) {
        works.push_back(a);
    }

    // the ends of works
    void done(const life::discover& a, ending how) {
        if (how == ending::well)
            tell(life::discovered{a.work, world_metadata()});
        else if (how == ending::trouble)
            tell(life::discovered{a.work, world_trouble()});
        else
            tell(life::discovered{a.work, failure::permanent(fault::discovery_failed, "no metadata")});
    }
    void done(const life::lock& a, ending how) {
        if (how == ending::well) {
            vault.lock = lock_of(a.work);
            tell(life::locked{a.work, result<void>{}});
        } else {
            tell(life::locked{a.work, failure::passing(fault::vault_unavailable, "another process")});
        }
    }
    void done(const life::look& a, ending how) {
        if (how == ending::well && vault.readable)
            tell(life::looked{a.work, vault.state()});
        else
            tell(life::looked{a.work, failure::passing(fault::vault_unavailable, "the vault is locked")});
    }
    void done(const life::run& a, ending how) {
        const auto token = a.held ? std::string(a.held->refresh_token.reveal()) : std::string();
        if (how == ending::trouble) {
            tell(life::flow_ended{a.work, world_trouble()});
            return;
        }
        std::optional<credential> fresh;
        if (a.step == recovery_step::refresh) {
            if (how == ending::well)
                fresh = server.refresh(*a.held);
            else
                server.end_family(*a.held);
            answered_tokens.insert(token);
        } else if (how == ending::well) {
            fresh = server.issue(a.scopes, false);
        }
        if (!fresh) {
            tell(life::flow_ended{a.work, world_refusal()});
            return;
        }
        remember(*fresh, a.work, a.approval);
        tell(life::flow_ended{a.work, *fresh});
    }
    void done(const life::redeem& a, ending how) {
        if (how == ending::trouble) {
            tell(life::flow_ended{a.work, world_trouble()});
        } else if (how == ending::refusal) {
            tell(life::flow_ended{a.work, failure::permanent(fault::approval_denied, "no, said the provider")
                                              .with_oauth_error("access_denied")});
        } else {
            const auto fresh = server.issue(a.pending.scopes);
            remember(fresh, a.work, a.pending.approval_id);
            tell(life::flow_ended{a.work, fresh});
        }
    }
    void done(const life::store& a, ending how) {
        if (how == ending::well) {
            tell(vault.store(a));
            return;
        }
        life::stored end;
        end.work = a.work;
        end.is = life::store_result::failed;
        end.why = failure::passing(fault::vault_unavailable, "the disk is full");
        tell(end);
    }
    void done(const life::begin_sign_in& a, ending how) {
        if (how != ending::well) {
            tell(life::sign_in_begun{a.work, how == ending::trouble ? world_trouble() : world_refusal()});
            return;
        }
        begun_authorization b;
        if (const auto* there = commons->flow_of(a.approval)) {
            b.pending = begun[a.approval];
            b.pending.state = there->pending_state;
            b.pending.location = there->shown.location;
            tell(life::sign_in_begun{a.work, b});
            return;
        }
        b.pending.approval_id = a.approval;
        b.pending.upstream = "up";
        b.pending.scopes = a.scopes;
        const auto number = std::to_string(process_) + "." + std::to_string(++states_);
        b.pending.state = secret("state-" + number);
        b.pending.location = "https://as.example/authorize?state=" + number;
        b.pending.server = world_metadata().server;
        if (a.method == sign_in_method::device) {
            b.pending.user_code = "CODE-" + number;
            b.pending.verification_uri = "https://as.example/device";
        }
        if (a.bind_to_browser)
            b.browser_binding = secret("cookie-" + number);
        begun[a.approval] = b.pending;
        vault.flows.insert(std::string(b.pending.state.reveal()));
        tell(life::sign_in_begun{a.work, b});
    }
    /// The person is done on the other device, the code expires (trouble), or is refused.
    void done(const life::await_device& a, ending how) {
        const auto flow = std::find_if(begun.begin(), begun.end(),
                                       [&](const auto& b) { return b.second.state == a.state; });
        if (flow == begun.end() || !vault.flows.erase(std::string(a.state.reveal()))) {
            life::flow_ended end{a.work, failure::permanent(fault::approval_timeout, "elsewhere")};
            end.gone = true;
            tell(end);
        } else if (how == ending::trouble) {
            tell(life::flow_ended{a.work, failure::permanent(fault::approval_timeout, "the code has expired")
                                              .with_oauth_error("expired_token")});
        } else if (how == ending::refusal) {
            tell(life::flow_ended{a.work, failure::permanent(fault::approval_denied, "no, said the provider")
                                              .with_oauth_error("access_denied")});
        } else {
            const auto fresh = server.issue(flow->second.scopes);
            remember(fresh, a.work, flow->second.approval_id);
            tell(life::flow_ended{a.work, fresh});
        }
    }
    void done(const life::release_binding& a, ending how) {
        tell(life::binding_released{a.work,
                                    how == ending::well ? result<void>{} : result<void>(world_trouble())});
    }
    void done(const life::erase& a, ending how) {
        if (how == ending::well)
            tell(life::erased{a.work, vault.erase(a)});
        else
            tell(life::erased{a.work, failure::passing(fault::vault_unavailable, "the disk is full")});
    }
    void done(const life::revoke& a, ending how) {
        revocation_report end;
        if (a.everything) {
            for (const auto& old : retired)
                server.revoke(old);
            retired.clear();
        }
        server.revoke(a.value);
        if (how != ending::well)
            end.trouble = world_trouble();
        tell(life::revoked{a.work, end});
    }
    template<class A>
    void done(const A&, ending) {}

    void remember(const credential& c, life::work_id work, std::string question) {
        issued.push_back({c, epochs_[work], std::move(question), false, true});
    }

    std::map<life::work_id, std::uint64_t> epochs_; ///< when the work was begun
    std::uint32_t draws_ = 0;
    int states_ = 0;
    unsigned process_ = 0;
};

} // namespace reauth::test
