// Asked, told, answered.
#include "proxy/recovery/pending_recoveries.hpp"

#include "proxy/recovery/life_notes.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace reauth {
namespace {

constexpr unsigned usual_most = 100; ///< held requests of one principal

life_key key_of(const request_target& where) {
    return {false, where.principal.name(), where.upstream().name};
}

} // namespace

void pending_recoveries::ask(std::shared_ptr<pending_recovery> held) {
    asio::post(control_, [this, h = std::move(held)]() mutable { arrive(std::move(h)); });
}

std::optional<failure> pending_recoveries::why_not(const pending_recovery& held, const life_entry* m) const {
    const auto& where = held.ask.where;
    if (stopped_)
        return failure::passing(fault::shutting_down, "mcp-reauth is shutting down",
                                "send the request again");
    // begun with a configuration in which this name meant another server
    if (!m || m->place.number() != where.credential())
        return failure::passing(fault::reauth_failed,
                                "upstream " + where.upstream().name + " was changed while the request waited",
                                "send it again");
    // without client authentication everybody is one principal
    const auto otherwise = where.settings().client_auth.empty() ? 0u : usual_most;
    const auto most = where.settings().limits.held_per_principal.value_or(otherwise);
    const auto theirs = held_of_.find(where.principal.number());
    if (most == 0 || theirs == held_of_.end() || theirs->second < most)
        return std::nullopt;
    return failure::passing(fault::overloaded,
                            std::to_string(theirs->second) + " requests of principal " +
                                where.principal.name() + " wait for a credential already",
                            "raise limits.held_per_principal, or try again");
}

void pending_recoveries::arrive(std::shared_ptr<pending_recovery> held) {
    const auto key = key_of(held->ask.where);
    const auto* m = stopped_ ? nullptr : lives_.need(key);
    if (auto why = why_not(*held, m)) {
        recovery_verdict verdict;
        verdict.why = std::move(*why);
        held->finish(std::move(verdict));
        return;
    }
    if (held->ask.only_load) {
        load(std::move(held), key);
        return;
    }
    context_.callers.keep(key.principal, held->ask.token);
    if (!held->ask.call && m->life.flight())
        record_.joined();
    held->number = replies_.number();
    auto& entry = held_[held->number] = {held, nullptr, context_.env.now()};
    if (!held->ask.call)
        entry.record = note_arrival(*held, *lives_.find(key));
    ++held_of_[held->ask.where.principal.number()];
    if (held->ask.call)
        lives_.tell(key, life::call_arrived{held->number, *held->ask.call});
    else
        lives_.tell(key, life::refused{held->number, held->ask.what});
}

/// The request goes on once what the vault holds is with its worker.
void pending_recoveries::load(std::shared_ptr<pending_recovery> held, const life_key& key) {
    lives_.when_loaded(key, [held = std::move(held)](const failure* why) {
        recovery_verdict verdict;
        verdict.is = why ? recovery_verdict::kind::fail : recovery_verdict::kind::replay;
        verdict.loaded = true;
        if (why)
            verdict.why = *why;
        held->finish(std::move(verdict));
    });
}

void pending_recoveries::abandon(std::shared_ptr<pending_recovery> held) {
    asio::post(control_, [this, h = std::move(held)] {
        if (h->number != 0 && let_go(h->number, {{"outcome", "the client is gone"}}))
            lives_.tell(key_of(h->ask.where), life::withdrawn{h->number});
    });
}

void pending_recoveries::renew_ahead(request_target where, std::uint64_t generation,
                                     std::shared_ptr<const caller_token> token) {
    asio::post(control_, [this, w = std::move(where), generation, t = std::move(token)]() mutable {
        const auto key = key_of(w);
        const auto* m = stopped_ ? nullptr : lives_.need(key);
        context_.callers.keep(key.principal, std::move(t));
        if (m && m->place.number() == w.credential())
            lives_.tell(key, life::renewal_due{generation});
    });
}

void pending_recoveries::observed(request_target where, challenge_facts call) {
    asio::post(control_, [this, w = std::move(where), c = std::move(call)] {
        const auto found =
            rule_for_call(w.settings().policy, {c.upstream, c.principal, c.groups}, c.operations);
        record_.observed_call(recorded_call(c, found));
    });
}

void pending_recoveries::answer(const life::answer& a) {
    if (replies_.give(a.request, a))
        return; // a renewal that another life has asked for
    const auto found = held_.find(a.request);
    recovery_verdict verdict = static_cast<const recovery_verdict&>(a);
    if (found != held_.end() && found->second.record)
        verdict.recovery = found->second.record->id();
    if (found != held_.end())
        record_.stats().answers.add({found->second.who->ask.where.upstream().name,
                                     verdict.is == recovery_verdict::kind::fail
                                         ? std::string(to_string(verdict.why.code))
                                     : verdict.is == recovery_verdict::kind::replay ? "replayed"
                                                                                    : "passed"});
    if (const auto held = let_go(a.request, facts_of(verdict)))
        held->finish(std::move(verdict));
}

/// Which call it is that a rule wants approved, once.
void pending_recoveries::note_call(const pending_recovery& held, open_timeline& record) {
    if (!record.what.judged.empty())
        return;
    const auto& ask = held.ask;
    record.what.trace = ask.trace;
    challenge_facts call;
    call.upstream = ask.where.upstream().name;
    call.principal = ask.where.principal.name();
    call.groups = ask.what.groups;
    call.operations = {ask.call->named};
    const auto found = rule_for_call(ask.where.settings().policy,
                                     {call.upstream, call.principal, call.groups}, call.operations);
    record.what.judged.push_back(recorded_call(call, found));
    record.note("judged", {{"outcome", "approve"},
                           {"rule", ask.call->rule},
                           {"operations", ask.call->named.method + " " + ask.call->named.tool},
                           {"client", ask.call->client_name},
                           {"digest", ask.call->digest}});
}

/// In the timeline of its life's episode, which begins with it where there is none.
timeline_ptr pending_recoveries::note_arrival(const pending_recovery& held, life_entry& m) {
    constexpr unsigned most_noted = 20;
    const auto& what = held.ask.what;
    if (!m.record)
        m.record = record_.kept().open(m.key);
    auto& record = *m.record;
    if (record.what.trace.empty())
        record.what.trace = held.ask.trace;
    ++record.waiting;
    record.what.tell();
    if (record.requests++ < most_noted)
        record.note("challenge", facts_of(what, std::to_string(what.sent_generation)));
    return m.record;
}

std::shared_ptr<pending_recovery> pending_recoveries::let_go(life::request_id number, timeline_facts end) {
    auto node = held_.extract(number);
    if (!node)
        return nullptr;
    auto& entry = node.mapped();
    const auto theirs = held_of_.find(entry.who->ask.where.principal.number());
    if (--theirs->second == 0)
        held_of_.erase(theirs);
    if (entry.record) {
        entry.record->note("request", std::move(end), entry.since);
        if (!entry.who->ask.call)
            --entry.record->waiting;
    }
    return std::move(entry.who);
}

void pending_recoveries::tell_waiting(const life::tell_waiting& a) {
    const auto held = held_.find(a.request);
    const auto shown = book_.find(a.approval);
    if (held == held_.end() || !shown)
        return;
    auto& waiting = *held->second.who;
    if (!held->second.record && !shown->recovery.empty())
        held->second.record = record_.kept().open(key_of(waiting.ask.where), shown->recovery);
    if (held->second.record)
        waiting.recovery_id = held->second.record->id();
    if (waiting.ask.call && held->second.record)
        note_call(waiting, *held->second.record);
    if (held->second.record && waiting.told_of != a.approval)
        held->second.record->note(
            "waits", {{"approval", a.approval},
                      {"recovery", shown->recovery == waiting.recovery_id ? "" : shown->recovery}});
    waiting.told_of = a.approval;
    waiting.approval_waits(a, book_.link(*shown), waiting.recovery_id);
    if (book_.attended(a.approval, context_.env.now()) || shown->status == approval_status::authorizing)
        waiting.somebody_looks();
}

bool pending_recoveries::anybody_waits(const std::string& approval) const {
    return std::any_of(held_.begin(), held_.end(),
                       [&](const auto& h) { return h.second.who->told_of == approval; });
}

void pending_recoveries::looked_at(const std::string& approval) {
    for (const auto& [number, held] : held_)
        if (held.who->told_of == approval)
            held.who->somebody_looks();
}

} // namespace reauth
