// A bounded table under a lock.
#include "proxy/relay/client_names.hpp"

namespace reauth {
namespace {

constexpr std::size_t longest = 120;

} // namespace

void client_names::remember(std::uint64_t credential, std::string_view session, std::string name) {
    if (name.empty() || session.empty())
        return;
    if (name.size() > longest)
        name.resize(longest);
    const std::lock_guard hold(mutex_);
    const key k{credential, std::string(session)};
    if (!names_.insert_or_assign(k, std::move(name)).second)
        return;
    order_.push_back(k);
    if (order_.size() > most_sessions) {
        names_.erase(order_.front());
        order_.pop_front();
    }
}

std::string client_names::find(std::uint64_t credential, std::string_view session) {
    if (session.empty())
        return {};
    const std::lock_guard hold(mutex_);
    const auto found = names_.find({credential, std::string(session)});
    return found == names_.end() ? std::string() : found->second;
}

} // namespace reauth
