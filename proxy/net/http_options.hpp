// How one outbound request is made.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace reauth {

struct http_options {
    std::chrono::milliseconds timeout{10'000}; ///< for the whole exchange, name resolution included
    /// Hosts ("host" or "host:port") that may resolve to a private address: the upstream's own.
    std::vector<std::string> trusted_hosts;
    std::string ca_file; ///< further trust anchors; empty: the system's only
    std::string client_cert, client_key;
    bool ipv4_only = false; ///< where the host has such an address
    bool redirects = true;  ///< GET and HEAD only, at most 3, https stays https, each checked again
    std::size_t max_body = 256 * 1024; ///< also once its content coding is undone
};

} // namespace reauth
