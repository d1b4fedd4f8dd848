// Which requests wait for a recovery: clients that give up without closing say so with
// notifications/cancelled, and a replay after that would run the tool twice.
#pragma once

#include "core/http/http_head.hpp"
#include "proxy/relay/held_request.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace reauth {

/// What a held request is found by: its credential, session and JSON-RPC id (JSON text). Without a session
/// the ids of different clients are the same (they start at 0 or 1 in every SDK): then where they come from
/// and what they call themselves tells them apart.
std::string held_key(std::size_t credential, const request_head& head, std::string_view peer,
                     std::string_view id);

/// Shared by the workers; off the steady path.
class held_requests {
public:
    void add(const std::string& key, std::shared_ptr<held_request> held);
    void remove(const std::string& key, const held_request* held);
    /// The held of that request, if exactly one is held: of two clients that can't be told apart neither is
    /// cancelled for the other.
    std::shared_ptr<held_request> find(const std::string& key);

private:
    std::mutex mutex_;
    std::multimap<std::string, std::shared_ptr<held_request>> requests_;
};

} // namespace reauth
