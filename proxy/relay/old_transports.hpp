// Which upstreams are known to speak only the HTTP+SSE transport of MCP 2024-11-05: there a client's first
// request is a GET, and it has to be held like any other first request.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace reauth {

/// Shared by the workers; used where a server refuses POST at its own URL, and where a GET is challenged.
class old_transports {
public:
    /// It answered 404 or 405 to a POST without a session (MCP 2025-11-25, transports, backwards
    /// compatibility).
    void learn(const std::string& url) {
        const std::lock_guard hold(mutex_);
        if (urls_.size() < most)
            urls_.insert(url);
    }
    /// Learned, or its path ends in /sse, as those servers' paths do.
    bool is_old(const std::string& url) {
        if (std::string_view(url).ends_with("/sse"))
            return true;
        const std::lock_guard hold(mutex_);
        return urls_.contains(url);
    }

private:
    static constexpr std::size_t most = 1000;
    std::mutex mutex_;
    std::set<std::string> urls_;
};

} // namespace reauth
