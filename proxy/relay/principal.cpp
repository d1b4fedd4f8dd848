// The names, each once.
#include "proxy/relay/principal.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>

namespace reauth {

struct principal_id::registry {
    /// Never destroyed: principals are given back until the very end.
    static registry& all() {
        static auto& one = *new registry;
        return one;
    }

    std::shared_ptr<const entry> configured(std::string_view name) {
        const std::lock_guard lock(mutex);
        auto found = names.find(name);
        if (found == names.end())
            found = names.emplace(name, std::make_unique<const entry>(name, next++, false)).first;
        return {std::shared_ptr<const entry>(), found->second.get()};
    }

    std::shared_ptr<const entry> from_outside(std::string_view name) {
        const std::lock_guard lock(mutex);
        auto& known = visitors[std::string(name)];
        if (auto there = known.lock())
            return there;
        // forgotten with its last holder, unless it has come again by then
        std::shared_ptr<const entry> made(new entry(name, next++, true), [this](const entry* gone) {
            forget(gone->name);
            delete gone;
        });
        known = made;
        return made;
    }

    std::vector<std::shared_ptr<const entry>> counted() {
        std::vector<std::shared_ptr<const entry>> all;
        std::vector<std::shared_ptr<const entry>> quiet; // given back when the lock is
        const std::lock_guard lock(mutex);
        for (const auto& [name, one] : names)
            if (one->requests.load(std::memory_order_relaxed) > 0)
                all.emplace_back(std::shared_ptr<const entry>(), one.get());
        for (const auto& [name, one] : visitors) {
            auto there = one.lock();
            if (there)
                (there->requests.load(std::memory_order_relaxed) > 0 ? all : quiet)
                    .push_back(std::move(there));
        }
        return all;
    }

    void forget(const std::string& name) {
        const std::lock_guard lock(mutex);
        const auto found = visitors.find(name);
        if (found != visitors.end() && found->second.expired())
            visitors.erase(found);
    }

    std::mutex mutex;
    std::map<std::string, std::unique_ptr<const entry>, std::less<>> names;
    std::map<std::string, std::weak_ptr<const entry>, std::less<>> visitors;
    std::uint32_t next = 0;
};

principal_id principal_id::of(std::string_view name) {
    return principal_id(registry::all().configured(name));
}

principal_id principal_id::from_outside(std::string_view name) {
    return principal_id(registry::all().from_outside(name));
}

principal_id::principal_id() : principal_id(of("local")) {}

std::vector<principal_id> principal_id::busiest(std::size_t most) {
    auto all = registry::all().counted();
    std::vector<principal_id> found;
    for (auto& one : all)
        found.push_back(principal_id(std::move(one)));
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.requests() > b.requests(); });
    if (found.size() > most)
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(most), found.end());
    return found;
}

bool principal_turn::begin(const principal_id& whose, unsigned most, std::uint32_t second, bool told_apart) {
    if (most == 0 && !told_apart)
        return true;
    if (whose.outside())
        whose.used_at(second);
    const auto now = whose.begin_request();
    if (most != 0 && now > most) {
        whose.end_request();
        return false;
    }
    whose_ = whose.entry_.get();
    return true;
}

} // namespace reauth
