// Kept, given out and aged.
#include "proxy/relay/upstream_pool.hpp"

#include <algorithm>

namespace reauth {

channel upstream_pool::take(steady_clock::time_point now) {
    while (!idle_.empty()) {
        auto last = std::move(idle_.back());
        idle_.pop_back();
        if (last.until > now && last.connection.usable())
            return std::move(last.connection);
    }
    return {};
}

void upstream_pool::give(channel connection, unsigned timeout_seconds, steady_clock::time_point now) {
    // a second less than promised: a request on its way must not meet the close
    auto keep = timeout_seconds == 0 ? default_timeout : std::chrono::seconds(timeout_seconds - 1);
    if (keep.count() <= 0 || idle_.size() >= capacity)
        return;
    connection.park();
    idle_.push_back({std::move(connection), now + keep});
}

void upstream_pool::drop_expired(steady_clock::time_point now) {
    std::erase_if(idle_, [&](entry& e) { return e.until <= now || !e.connection.usable(); });
}

} // namespace reauth
