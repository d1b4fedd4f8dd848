// Held requests on their way to a life and back, and the sessions that enterprise credentials are minted
// from.
#include "proxy/recovery/manager.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace reauth {
void credential_manager::ask(std::shared_ptr<held_request> held) {
    asio::post(control_, [this, h = std::move(held)]() mutable { arrive(std::move(h)); });
}

void credential_manager::arrive(std::shared_ptr<held_request> held) {
    const auto& where = held->ask.where;
    const life_key key{false, where.principal_name(), where.upstream().name};
    const auto* m = find(key);
    recovery_verdict verdict;
    if (stopped_) {
        verdict.why =
            failure::passing(fault::shutting_down, "mcp-reauth is shutting down", "send the request again");
    } else if (!m || m->removed || m->number != where.credential()) {
        // begun with a configuration in which this name meant another server
        verdict.why = failure::passing(fault::reauth_failed,
                                       "upstream " + key.name + " was changed while the request waited",
                                       "send it again");
    } else {
        if (!held->ask.call && m->machine.flight())
            ++counters_.joined;
        held->number = next_++;
        held_[held->number] = held;
        if (held->ask.call) {
            tell_gate(key, gate::arrived{held->number, *held->ask.call});
            return;
        }
        tell(key, life::refused{held->number, held->ask.what});
        return;
    }
    held->finish(std::move(verdict));
}

bool credential_manager::anybody_waits(const std::string& approval) const {
    return std::any_of(held_.begin(), held_.end(),
                       [&](const auto& h) { return h.second->told_of == approval; });
}

void credential_manager::looked_at(const std::string& approval) {
    for (const auto& [number, held] : held_)
        if (held->told_of == approval)
            held->somebody_looks();
}

void credential_manager::abandon(std::shared_ptr<held_request> held) {
    asio::post(control_, [this, h = std::move(held)] {
        if (h->number == 0 || !held_.erase(h->number))
            return;
        const auto& where = h->ask.where;
        const life_key key{false, where.principal_name(), where.upstream().name};
        if (h->ask.call)
            tell_gate(key, gate::withdrawn{h->number});
        else
            tell(key, life::withdrawn{h->number});
    });
}

void credential_manager::renew_ahead(target where, std::uint64_t generation) {
    asio::post(control_, [this, w = std::move(where), generation] {
        const life_key key{false, w.principal_name(), w.upstream().name};
        const auto* m = find(key);
        if (!stopped_ && m && m->number == w.credential())
            tell(key, life::renewal_due{generation});
    });
}

} // namespace reauth
