// Asked, told, answered.
#include "proxy/recovery/pending_recoveries.hpp"

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
    held_[held->number] = held;
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
        if (h->number != 0 && let_go(h->number))
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

void pending_recoveries::answer(const life::answer& a) {
    if (replies_.give(a.request, a))
        return; // a renewal that another life has asked for
    if (const auto held = let_go(a.request))
        held->finish(static_cast<const recovery_verdict&>(a));
}

std::shared_ptr<pending_recovery> pending_recoveries::let_go(life::request_id number) {
    auto node = held_.extract(number);
    if (!node)
        return nullptr;
    const auto theirs = held_of_.find(node.mapped()->ask.where.principal.number());
    if (--theirs->second == 0)
        held_of_.erase(theirs);
    return std::move(node.mapped());
}

void pending_recoveries::tell_waiting(const life::tell_waiting& a) {
    const auto held = held_.find(a.request);
    const auto shown = book_.find(a.approval);
    if (held == held_.end() || !shown)
        return;
    auto& waiting = *held->second;
    waiting.told_of = a.approval;
    waiting.approval_waits(a, book_.link(*shown));
    if (book_.attended(a.approval, context_.env.now()) || shown->status == approval_status::authorizing)
        waiting.somebody_looks();
}

bool pending_recoveries::anybody_waits(const std::string& approval) const {
    return std::any_of(held_.begin(), held_.end(),
                       [&](const auto& h) { return h.second->told_of == approval; });
}

void pending_recoveries::looked_at(const std::string& approval) {
    for (const auto& [number, held] : held_)
        if (held->told_of == approval)
            held->somebody_looks();
}

} // namespace reauth
