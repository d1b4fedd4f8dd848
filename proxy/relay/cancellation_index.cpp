// The index of held requests.
#include "proxy/relay/cancellation_index.hpp"

#include "core/text/ascii.hpp"

namespace reauth {

std::string cancellation_key(std::uint64_t credential, const request_head& head, std::string_view peer,
                             std::string_view id) {
    const auto session = head.value(field_id::mcp_session_id);
    std::string key = std::to_string(credential);
    const auto add = [&](std::string_view part) {
        key += '|';
        key += part;
    };
    add(session);
    add(id);
    if (!session.empty())
        return key;
    add(peer);
    for (const auto& f : head)
        if (iequals(f.name, "user-agent"))
            add(f.value);
    return key;
}

void cancellation_index::add(const std::string& key, std::shared_ptr<pending_recovery> held) {
    const std::lock_guard lock(mutex_);
    requests_.emplace(key, std::move(held));
}

void cancellation_index::remove(const std::string& key, const pending_recovery* held) {
    const std::lock_guard lock(mutex_);
    auto [first, last] = requests_.equal_range(key);
    for (auto it = first; it != last; ++it)
        if (it->second.get() == held) {
            requests_.erase(it);
            return;
        }
}

std::shared_ptr<pending_recovery> cancellation_index::find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    auto [first, last] = requests_.equal_range(key);
    return first == last || std::next(first) != last ? nullptr : first->second;
}

} // namespace reauth
