// `cookies: jar`: the upstreams' cookies, per credential (upstream and principal) and MCP session; in memory
// only.
#pragma once

#include "core/http/cookie_jar.hpp"
#include "core/http/http_head.hpp"

#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace reauth {

/// Shared by the workers; only requests of upstreams with a jar come here.
class cookie_jars {
public:
    /// Of so many sessions cookies are kept; those of the one that is idle longest are forgotten.
    static constexpr std::size_t most_sessions = 10'000;

    /// The Cookie line for a request, with CRLF; empty: none. Without a session nothing is kept: two clients
    /// would share it.
    std::string line_for(std::uint64_t credential, const request_head& request, std::string_view path,
                         time_point now);
    /// What an answer sets is kept for the session that it begins, or that the request belongs to; a DELETE
    /// that succeeds ends that.
    void learn(std::uint64_t credential, const request_head& request, const response_head& answer,
               std::string_view host, std::string_view path, time_point now);

    /// The Cookie value for a request of that session; empty: none.
    std::string header_for(std::uint64_t credential, std::string_view session, std::string_view path,
                           time_point now);
    void take(std::uint64_t credential, std::string_view session, std::string_view set_cookie,
              std::string_view host, std::string_view path, time_point now);
    /// The session is over.
    void forget(std::uint64_t credential, std::string_view session);

private:
    using key = std::pair<std::uint64_t, std::string>;
    struct entry {
        cookie_jar jar;
        std::list<key>::iterator used;
    };
    entry* find(const key& k);
    std::mutex mutex_;
    std::map<key, entry> jars_;
    std::list<key> order_; ///< the one used last is the first
};

} // namespace reauth
