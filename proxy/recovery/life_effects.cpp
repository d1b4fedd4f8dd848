// One way for all work, one for all answers.
#include "proxy/recovery/life_effects.hpp"

#include "proxy/recovery/life_notes.hpp"

#include <nlohmann/json.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {

void life_effects::perform(life_entry& m, life_actions actions) {
    for (const auto& action : actions)
        std::visit([&](const auto& a) { perform_one(m, a); }, action);
    close_if_over(m);
}

/// Where an action is noted: of a call that waits for approval its own, else that of the life's episode.
timeline_ptr life_effects::record_of(life_entry& m, const std::string& approval) {
    const auto shown = approval.empty() ? nullptr : approvals_.book().find(approval);
    return shown ? record_of(m, shown->kind, shown->recovery) : record_of(m, approval_kind::login, {});
}

/// An approval's is the one that it was opened in, whatever has begun since.
timeline_ptr life_effects::record_of(life_entry& m, approval_kind kind, const std::string& id) {
    const bool own = kind == approval_kind::call || (m.record && !id.empty() && m.record->id() != id);
    if (own)
        return record_.kept().open(m.key, id);
    if (!m.record)
        m.record = record_.kept().open(m.key, id);
    return m.record;
}

void life_effects::close_if_over(life_entry& m) {
    if (m.record && m.record->idle() && !m.life.flight())
        record_.kept().close(std::exchange(m.record, nullptr));
}

template<class Action>
void life_effects::perform_one(life_entry& m, const Action& a) {
    if constexpr (work_action<Action>) {
        before(m, a);
        auto place = m.place;
        place.record = record_of(m, approval_of(a));
        // whoever enters a code takes a person's time: the episode does not wait for that
        constexpr bool counted = !std::is_same_v<Action, life::await_device>;
        if (counted)
            ++place.record->works;
        work_note note{place.record, std::string(name_of(a)), facts_of(a), counted};
        auto work = carry_out(context_, std::move(place), a);
        asio::co_spawn(context_.ex, finish(m.key, std::move(note), std::move(work)), asio::detached);
    } else if constexpr (errand_action<Action>) {
        before(m, a);
        auto place = m.place;
        place.record = m.record;
        if (m.record)
            m.record->note(std::string(name_of(a)));
        asio::co_spawn(context_.ex, carry_out(context_, std::move(place), a), asio::detached);
    } else if constexpr (answering_action<Action>) {
        replies_.give(a.caller, a.answer);
    } else {
        say(m, a);
    }
}

task<void> life_effects::finish(life_key key, work_note note, task<life_event> work) {
    const auto since = context_.env.now();
    auto end = co_await std::move(work);
    auto& record = *note.record;
    for (auto& fact : end_of(end))
        note.facts.push_back(std::move(fact));
    if (std::holds_alternative<life::locked>(end))
        record_.stats().lock_waits.add(context_.env.now() - since);
    record.note(std::move(note.name), std::move(note.facts), since);
    if (note.counted)
        --record.works;
    if (const auto* m = lives_.find(key); record.idle() && (!m || m->record != note.record))
        record_.kept().close(note.record);
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
    if (m.record)
        m.record->note("in force", {{"scopes", a.held ? a.held->granted.to_string() : ""},
                                    {"generation", a.held ? std::to_string(a.held->generation) : "none"}});
    context_.step("publish");
    publish_(m.place.number(), std::move(snapshot));
}

void life_effects::say(life_entry& m, const life::show& a) {
    auto shown = a;
    timeline_ptr record;
    const auto before = approvals_.book().find(a.now.id);
    if (shown.now.recovery.empty() && before)
        shown.now.recovery = before->recovery;
    if (a.share || m.record || a.now.kind == approval_kind::call) // else another process has told of it
        record = record_of(m, a.now.kind, shown.now.recovery);
    if (record && shown.now.recovery.empty())
        shown.now.recovery = record->id();
    if (shown.share)
        shown.share->shown.recovery = shown.now.recovery;
    if (record && a.share && (!before || before->status != a.now.status || decided(a.now.status))) {
        record->note("approval", facts_of(a));
        record->what.tell();
        record_.kept().keep(record);
        if (decided(a.now.status))
            record_.stats().approvals_ended.add(
                {a.now.upstream, std::string(to_string(a.now.kind)), std::string(to_string(a.now.status))});
    }
    approvals_.show(m.key, shown);
    if (record && record != m.record && a.share && decided(a.now.status))
        record_.kept().close(record);
}

void life_effects::say(life_entry& m, const life::judged& a) {
    const auto record = record_of(m);
    const bool first = !a.facts.silent_failure;
    auto now = first ? recorded(a.facts, a.what) : recorded_judgement();
    auto& before = record->what.judged;
    if (first && !before.empty() && judgement_json(before.back()) == judgement_json(now))
        return; // the vault was looked into meanwhile, and holds nothing new
    record->note("judged", facts_of(a));
    if (first && before.size() < timeline::most_judgements)
        before.push_back(std::move(now));
    record_.observed(a.what.rule.observed);
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
    record_.write({m.key.principal, m.key.name, sessions_.subject_of(m), m.key.session,
                   std::string(to_string(m.place.whose.grant))},
                  a, record_of(m, a.approval), m.last, took);
}

} // namespace reauth
