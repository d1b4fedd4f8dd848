// Which requests wait for a recovery: clients that give up without closing say so with
// notifications/cancelled, and a replay after that would run the tool twice.
#pragma once

#include "core/http/http_head.hpp"
#include "proxy/relay/pending_recovery.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace reauth {

/// What a held request is found by: its credential, session and JSON-RPC id (JSON text). Without a session
/// the ids of different clients are the same (they start at 0 or 1 in every SDK): then where they come from
/// and what they call themselves tells them apart.
std::string cancellation_key(std::uint64_t credential, const request_head& head, std::string_view peer,
                             std::string_view id);

/// Shared by the workers; off the steady path.
class cancellation_index {
public:
    void add(const std::string& key, std::shared_ptr<pending_recovery> held);
    void remove(const std::string& key, const pending_recovery* held);
    /// The held of that request, if exactly one is held: of two clients that can't be told apart neither is
    /// cancelled for the other.
    std::shared_ptr<pending_recovery> find(const std::string& key);

private:
    std::mutex mutex_;
    std::multimap<std::string, std::shared_ptr<pending_recovery>> requests_;
};

} // namespace reauth
