// Principals from outside: an open set, of which as many are kept as limits.principals says. The vault has
// the others.
#include "proxy/recovery/life_registry.hpp"

#include <algorithm>

namespace reauth {
namespace {

template<class Map>
void drop_all_of(const std::string& principal, Map& from) {
    for (const bool session : {false, true}) {
        auto first = from.lower_bound({session, principal, {}});
        while (first != from.end() && first->first.session == session && first->first.principal == principal)
            first = from.erase(first);
    }
}

} // namespace

/// Nothing of it is under way, and nobody would miss it.
bool life_registry::may_leave(const principal_id& who) {
    if (who.in_progress() != 0)
        return false;
    const auto now = context_.env.now();
    for (const bool session : {false, true})
        for (auto it = lives_.lower_bound({session, who.name(), {}});
             it != lives_.end() && it->first.session == session && it->first.principal == who.name(); ++it) {
            const auto& m = *it->second;
            if (!m.loaded || !m.flight_watchers.empty() || !m.life.idle(now))
                return false;
        }
    return true;
}

/// Those that called least lately, a tenth at once: who comes next finds room.
void life_registry::let_outsiders_go() {
    const std::size_t most = table_->settings->limits.principals;
    if (outsiders_.size() <= most)
        return;
    std::vector<principal_id> oldest;
    for (const auto& [name, who] : outsiders_)
        oldest.push_back(who);
    std::sort(oldest.begin(), oldest.end(),
              [](const auto& a, const auto& b) { return a.last_used() < b.last_used(); });
    const auto wanted = outsiders_.size() - most + most / 10;
    std::vector<std::uint32_t> gone;
    for (const auto& who : oldest) {
        if (gone.size() >= wanted)
            break;
        if (!may_leave(who))
            continue;
        gone.push_back(who.number());
        drop_all_of(who.name(), lives_);
        drop_all_of(who.name(), resting_);
        context_.callers.forget(who.name());
        outsiders_.erase(who.name());
    }
    std::sort(gone.begin(), gone.end());
    if (!gone.empty() && forgotten_)
        forgotten_(std::move(gone));
}

} // namespace reauth
