// Events in, actions out: the queue that brings each life its events, and what is done at once.
#include "proxy/recovery/manager.hpp"

#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::size_t remembered_states = 256;

} // namespace

void credential_manager::tell(const life_key& key, life_event event) {
    after([this, key, e = std::move(event)] {
        if (auto* m = find(key))
            perform_all(*m, m->machine.on(e, env_.now()));
    });
}

/// One step at a time: what an action causes waits until all actions of its step are done.
void credential_manager::after(std::function<void()> then) {
    queue_.push_back(std::move(then));
    drain();
}

void credential_manager::drain() {
    if (draining_)
        return;
    draining_ = true;
    while (!queue_.empty()) {
        const auto next = std::move(queue_.front());
        queue_.pop_front();
        next();
    }
    draining_ = false;
}

void credential_manager::perform_all(member& m, life_actions actions) {
    for (const auto& action : actions)
        std::visit([&](const auto& a) { perform(m, a); }, action);
    watch_flight(m);
}

void credential_manager::watch_flight(member& m) {
    if (!m.flight_watch || m.machine.flight() == m.flight_watch->first)
        return;
    m.flight_watch->second.give(true);
    m.flight_watch.reset();
}

void credential_manager::spawn(const life_key& key, task<life_event> work) {
    asio::co_spawn(context_.ex, carry_out(key, std::move(work)), asio::detached);
}

task<void> credential_manager::carry_out(life_key key, task<life_event> work) {
    auto end = co_await std::move(work);
    const auto* m = find(key);
    if (const auto* found = std::get_if<life::discovered>(&end); found && found->found && key.session && m)
        providers_[m->place.whose.url] = known_provider{found->found->server, env_.now()};
    tell(key, std::move(end));
}

std::string credential_manager::lock_name(const member& m) const {
    return m.key.session ? "idp|" + m.key.name + "|" + m.key.principal
                         : "recover|" + m.key.name + "|" + m.key.principal;
}

void credential_manager::perform(member& m, const life::discover& a) {
    spawn(m.key, discover_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::lock& a) {
    spawn(m.key, lock_work(locks_, lock_name(m), a.work, 4 * m.place.where.settings().limits.token_request));
}

void credential_manager::perform(member& m, const life::unlock& a) {
    locks_.give_back(lock_name(m), a.work);
}

void credential_manager::perform(member& m, const life::look& a) {
    spawn(m.key, look_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::run& a) {
    if (!m.key.session && a.step == recovery_step::refresh)
        ++counters_.refreshes;
    if (a.step == recovery_step::client_credentials || a.step == recovery_step::jwt_bearer)
        ++counters_.machine_tokens;
    if (a.step == recovery_step::enterprise_mint)
        ++counters_.mints;
    m.running_since = env_.now();
    spawn(m.key, run_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::store& a) {
    spawn(m.key, store_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::undo_store& a) {
    asio::co_spawn(context_.ex, undo_store_work(context_, m.place, a), asio::detached);
}

void credential_manager::perform(member& m, const life::begin_sign_in& a) {
    spawn(m.key, begin_sign_in_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::await_device& a) {
    spawn(m.key, await_device_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::release_binding& a) {
    spawn(m.key, release_binding_work(context_, a));
}

void credential_manager::perform(member& m, const life::redeem& a) {
    spawn(m.key, redeem_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::erase& a) {
    spawn(m.key, erase_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::revoke& a) {
    spawn(m.key, revoke_work(context_, m.place, a));
}

void credential_manager::perform(member& m, const life::retire& a) {
    asio::co_spawn(context_.ex, retire_work(context_, m.place, a), asio::detached);
}

void credential_manager::perform(member& m, const life::wake& a) {
    auto wait = [](credential_manager* self, life_key key, time_point at) -> task<void> {
        loop_timer timer(self->context_.ex, std::max<time_point::duration>(at - self->env_.now(), {}));
        error_code ec;
        auto token = asio::redirect_error(use_task, ec);
        co_await timer.async_wait(token);
        if (!self->stopped_)
            self->tell(key, life::time_passed{});
    };
    asio::co_spawn(context_.ex, wait(this, m.key, a.at), asio::detached);
}

void credential_manager::perform(member& m, const life::publish& a) {
    if (m.key.session) {
        tell_session_to_all(m);
        return;
    }
    snapshot_ptr snapshot;
    if (a.held)
        snapshot =
            make_snapshot(*a.held, a.renewable, m.place.where.settings().limits.refresh_ahead, env_.now());
    publish_(m.number, std::move(snapshot));
}

void credential_manager::perform(member& m, const life::show& a) {
    const bool fresh = !book_.find(a.now.id);
    book_.show(a.now);
    if (a.share)
        asio::co_spawn(context_.ex, share(*a.share, fresh && !decided(a.now.status)), asio::detached);
    if (decided(a.now.status)) {
        asked_by_.erase(a.now.id);
        return;
    }
    asked_by_[a.now.id] = m.key;
    if (a.now.status == approval_status::authorizing) // a person was sent to the provider
        book_.look(a.now.id, env_.now());
}

/// The vault forgets the flow, and we remember for a while what became of it.
void credential_manager::perform(member&, const life::discard_pending& a) {
    ended_states_.emplace_back(pending_key(a.state.reveal()), a.approval);
    if (ended_states_.size() > remembered_states)
        ended_states_.pop_front();
    asio::co_spawn(context_.ex, discard_pending_work(context_, a.state, a.refused), asio::detached);
}

void credential_manager::perform(member&, const life::answer& a) {
    if (auto renewal = renewals_.extract(a.request)) {
        renewal.mapped().give(a);
        return;
    }
    auto held = held_.extract(a.request);
    if (!held)
        return;
    recovery_verdict verdict;
    verdict.is = a.is == life::verdict::replay  ? recovery_verdict::kind::replay
                 : a.is == life::verdict::relay ? recovery_verdict::kind::relay
                                                : recovery_verdict::kind::fail;
    verdict.why = a.why;
    verdict.required_scopes = a.required_scopes;
    verdict.reason = a.reason;
    verdict.person_waited = a.person_waited;
    verdict.same_credential = a.same_credential;
    held.mapped()->finish(std::move(verdict));
}

void credential_manager::perform(member&, const life::tell_waiting& a) {
    const auto held = held_.find(a.request);
    const auto shown = book_.find(a.approval);
    if (held == held_.end() || !shown)
        return;
    auto& waiting = *held->second;
    waiting.told_of = a.approval;
    waiting.approval_waits(a, book_.link(*shown));
    if (book_.attended(a.approval, env_.now()) || shown->status == approval_status::authorizing)
        waiting.somebody_looks();
}

void credential_manager::perform(member&, const life::answer_approve& a) {
    if (!a.forward_to.empty()) {
        if (auto* other = with_question(a.forward_to)) {
            tell(other->key, life::approve_asked{a.caller, a.forward_to, a.who, a.from_page, a.method});
            return;
        }
    }
    if (auto caller = approve_callers_.extract(a.caller))
        caller.mapped().give(a.answer);
}

void credential_manager::perform(member&, const life::answer_deny& a) {
    denied_ = a.done;
}

/// After an organisation's login the page tells whether the upstream that it was for lets the person in.
void credential_manager::perform(member& m, const life::answer_callback& a) {
    auto caller = callback_callers_.extract(a.caller);
    if (!caller)
        return;
    const auto shown = book_.find(a.outcome.approval_id);
    if (!m.key.session || !a.outcome.ok || !shown) {
        caller.mapped().give(a.outcome);
        return;
    }
    after([this, answer = caller.mapped(), outcome = a.outcome,
           key = life_key{false, m.key.principal, shown->upstream}] {
        auto* asked = find(key);
        if (!asked || !asked->machine.flight() || asked->flight_watch) {
            answer.give(outcome);
            return;
        }
        const reply<bool> ended(context_.ex);
        asked->flight_watch.emplace(asked->machine.flight(), ended);
        auto finish = [](credential_manager* self, life_key whose, reply<bool> end,
                         reply<callback_outcome> page, callback_outcome said) -> task<void> {
            co_await end.wait();
            const auto* it = self->find(whose);
            if (it && !it->last.code.empty() && it->last.code != "ok") {
                said.ok = false;
                said.title = "Signed in, but there is no access to " + whose.name;
                said.detail = it->last.detail;
            }
            page.give(std::move(said));
        };
        asio::co_spawn(context_.ex, finish(this, key, ended, answer, outcome), asio::detached);
    });
}

void credential_manager::perform(member&, const life::answer_login& a) {
    if (auto asking = lives_asking_.extract(a.caller)) {
        tell(asking.mapped(), life::session_asked{a.approval});
        return;
    }
    if (auto caller = login_callers_.extract(a.caller))
        caller.mapped().give(a.approval);
}

void credential_manager::perform(member&, const life::answer_sign_out& a) {
    if (auto caller = sign_out_callers_.extract(a.caller))
        caller.mapped().give(a.done);
}

void credential_manager::perform(member& m, const life::audit& a) {
    const auto now = env_.now();
    write_audit({m.key.principal, m.key.name, subject_of(m), m.key.session}, a, now, counters_, m.last);
    auto entry = history_of({m.key.principal, m.key.name, subject_of(m), m.key.session}, a, now);
    const auto shown = book_.find(a.approval);
    if (shown && !a.approval.empty())
        entry.took = std::chrono::duration_cast<std::chrono::milliseconds>(now - shown->created_at);
    else if (a.what == life::audit::kind::recovery && m.running_since)
        entry.took = std::chrono::duration_cast<std::chrono::milliseconds>(now - *m.running_since);
    if (a.what == life::audit::kind::recovery)
        m.running_since.reset();
    past_.add(std::move(entry));
}

} // namespace reauth
