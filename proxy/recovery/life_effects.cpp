// One way for all work, one for all answers.
#include "proxy/recovery/life_effects.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {

void life_effects::perform(life_entry& m, life_actions actions) {
    for (const auto& action : actions)
        std::visit([&](const auto& a) { perform_one(m, a); }, action);
}

template<class Action>
void life_effects::perform_one(life_entry& m, const Action& a) {
    if constexpr (work_action<Action>) {
        before(m, a);
        asio::co_spawn(context_.ex, finish(m.key, carry_out(context_, m.place, a)), asio::detached);
    } else if constexpr (errand_action<Action>) {
        before(m, a);
        asio::co_spawn(context_.ex, carry_out(context_, m.place, a), asio::detached);
    } else if constexpr (answering_action<Action>) {
        replies_.give(a.caller, a.answer);
    } else {
        say(m, a);
    }
}

task<void> life_effects::finish(life_key key, task<life_event> work) {
    auto end = co_await std::move(work);
    const auto* found = std::get_if<life::discovered>(&end);
    if (const auto* m = lives_.find(key); m && key.session && found && found->found)
        sessions_.found(*m, *found->found);
    lives_.tell(key, std::move(end));
}

void life_effects::before(life_entry& m, const life::run& a) {
    record_.began(a.step, m.key.session);
    m.running_since = context_.env.now();
}

void life_effects::before(life_entry&, const life::discard_pending& a) {
    approvals_.flow_ended(a.state, a.approval);
}

task<void> life_effects::wake(life_key key, time_point at) {
    loop_timer timer(context_.ex, std::max<time_point::duration>(at - context_.env.now(), {}));
    error_code ec;
    auto token = asio::redirect_error(use_task, ec);
    co_await timer.async_wait(token);
    if (!stopped_)
        lives_.tell(key, life::time_passed{});
}

void life_effects::say(life_entry& m, const life::wake& a) {
    asio::co_spawn(context_.ex, wake(m.key, a.at), asio::detached);
}

void life_effects::say(life_entry& m, const life::publish& a) {
    if (m.key.session) {
        sessions_.tell_all(m);
        return;
    }
    snapshot_ptr snapshot;
    if (a.held)
        snapshot =
            make_snapshot(*a.held, a.renewable, m.place.settings().limits.refresh_ahead, context_.env.now());
    m.published = snapshot;
    context_.step("publish");
    publish_(m.place.number(), std::move(snapshot));
}

void life_effects::say(life_entry& m, const life::show& a) {
    approvals_.show(m.key, a);
}

void life_effects::say(life_entry&, const life::answer& a) {
    requests_.answer(a);
}

void life_effects::say(life_entry&, const life::tell_waiting& a) {
    requests_.tell_waiting(a);
}

void life_effects::say(life_entry&, const life::pass_on_approve& a) {
    if (const auto* owner = approvals_.owner(a.wish.approval)) {
        lives_.tell(life_key(*owner), a.wish);
        return;
    }
    const auto gone = failure::permanent(fault::approval_timeout, "this approval is not open any more");
    replies_.give(a.wish.caller, result<approve_answer>(gone));
}

void life_effects::say(life_entry& m, const life::ask_session& a) {
    sessions_.ask(m, a);
}

void life_effects::say(life_entry& m, const life::approval_refused& a) {
    sessions_.refused(m, a);
}

void life_effects::say(life_entry& m, const life::audit& a) {
    using std::chrono::duration_cast, std::chrono::milliseconds;
    const auto now = context_.env.now();
    milliseconds took(-1);
    const bool recovery = a.what() == life::audit::kind::recovery;
    const auto shown = a.approval.empty() ? nullptr : approvals_.book().find(a.approval);
    if (shown)
        took = duration_cast<milliseconds>(now - shown->created_at);
    else if (recovery && m.running_since)
        took = duration_cast<milliseconds>(now - *m.running_since);
    if (recovery)
        m.running_since.reset();
    record_.write({m.key.principal, m.key.name, sessions_.subject_of(m), m.key.session}, a, now, m.last,
                  took);
}

} // namespace reauth
