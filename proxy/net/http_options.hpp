// How one outbound request is made.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"
#include "core/text/uri.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// What a server is asked before the request itself, on the same connection: whether it is who is meant. The
/// request is sent only then.
struct peer_proof {
    http_request ask; ///< of the same server: no secret is in it
    std::function<bool(const http_response&)> holds;
    std::chrono::milliseconds patience{1'000}; ///< for connection and answer
    failure otherwise;                         ///< what it is where the proof does not hold
};

/// How one exchange went.
struct exchange_seen {
    std::string_view method, url, purpose;
    unsigned status = 0;                ///< 0: there was no answer
    std::size_t sent = 0, received = 0; ///< bytes of the bodies
    std::chrono::steady_clock::duration took{};
    const failure* why = nullptr; ///< null: it was answered
};

struct http_options {
    std::chrono::milliseconds timeout{10'000}; ///< for the whole exchange, name resolution included
    /// Hosts ("host" or "host:port") that may resolve to a private address: the upstream's own.
    std::vector<std::string> trusted_hosts;
    /// Allowed: plain http to those hosts too, and to what `egress.allow` names.
    plain_http http = plain_http::on_loopback;
    std::string ca_file; ///< further trust anchors; empty: the system's only
    std::string client_cert, client_key;
    bool ipv4_only = false; ///< where the host has such an address
    bool redirects = true;  ///< GET and HEAD only, at most 3, https stays https, each checked again
    std::size_t max_body = 256 * 1024; ///< also once its content coding is undone
    /// nullptr: whoever is there is believed. Inside TLS its certificate has proved it already.
    std::shared_ptr<const peer_proof> proof = {};
    /// Hears how a flow's exchange went; empty: nobody does.
    std::function<void(const exchange_seen&)> seen = {};
};

} // namespace reauth
