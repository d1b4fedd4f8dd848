// Idle upstream connections of one worker: last in, first out, and only while the upstream promised to keep
// them.
#pragma once

#include "proxy/net/channel.hpp"
#include "proxy/net/deadline.hpp"

#include <vector>

namespace reauth {

/// The idle connections to one upstream.
class upstream_pool {
public:
    static constexpr std::size_t capacity = 256;
    /// Where an upstream sends no Keep-Alive: timeout. Node and uvicorn close after 5 s, and say so in plain
    /// answers (Node) or never (uvicorn, and Node's event streams).
    static constexpr std::chrono::seconds default_timeout{4};

    /// The freshest connection that is still promised and not closed; a closed channel if there is none.
    channel take(steady_clock::time_point now);
    /// Keeps a connection whose last answer was read whole. `timeout`: of Keep-Alive, 0 if it said nothing.
    void give(channel connection, unsigned timeout_seconds, steady_clock::time_point now);
    void drop_expired(steady_clock::time_point now);
    void clear() { idle_.clear(); }
    std::size_t size() const noexcept { return idle_.size(); }

private:
    struct entry {
        channel connection;
        steady_clock::time_point until;
    };
    std::vector<entry> idle_;
};

} // namespace reauth
