// The index of held requests.
#include "proxy/relay/held_requests.hpp"

#include "core/text/ascii.hpp"

namespace reauth {

std::string held_key(std::size_t credential, const request_head& head, std::string_view peer,
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

void held_requests::add(const std::string& key, std::shared_ptr<held_request> held) {
    const std::lock_guard lock(mutex_);
    requests_.emplace(key, std::move(held));
}

void held_requests::remove(const std::string& key, const held_request* held) {
    const std::lock_guard lock(mutex_);
    auto [first, last] = requests_.equal_range(key);
    for (auto it = first; it != last; ++it)
        if (it->second.get() == held) {
            requests_.erase(it);
            return;
        }
}

std::shared_ptr<held_request> held_requests::find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    auto [first, last] = requests_.equal_range(key);
    return first == last || std::next(first) != last ? nullptr : first->second;
}

} // namespace reauth
