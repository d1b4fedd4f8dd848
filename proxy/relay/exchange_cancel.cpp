// notifications/cancelled for a request that is held: which one it can mean, and its end.
#include "core/ascii.hpp"
#include "core/http_field.hpp"
#include "proxy/relay/exchange.hpp"

namespace reauth {

/// Without a session the ids of different clients are the same (they start at 0 or 1 in every SDK): what
/// tells clients apart then is where they come from and what they call themselves.
std::string exchange::held_key(const std::string& id) const {
    const auto& head = s_.memory->head;
    const auto session_id = head.value(field_id::mcp_session_id);
    std::string key = std::to_string(where_.credential());
    for (const auto part : {session_id, std::string_view(id)}) {
        key += '|';
        key += part;
    }
    if (session_id.empty()) {
        key += '|';
        key += s_.peer;
        for (const auto& f : head)
            if (iequals(f.name, "user-agent")) {
                key += '|';
                key += f.value;
            }
    }
    return key;
}

/// A notifications/cancelled for a request that we hold: it is over, and the upstream never heard of it.
bool exchange::cancels_held_request() {
    if (w_.limits.waiters.load(std::memory_order_relaxed) == 0 ||
        body_view().find("cancelled") == std::string_view::npos) // the slash before it may be escaped
        return false;
    parse_messages();
    if (messages_.messages.size() != 1 || messages_.messages[0].method != "notifications/cancelled")
        return false;
    auto held = w_.limits.held.find(held_key(messages_.messages[0].cancelled_id));
    if (!held)
        return false;
    recovery_verdict verdict;
    verdict.why =
        failure::permanent(fault::request_not_replayable, "the client cancelled the request while it waited");
    held->finish(std::move(verdict));
    w_.recovery.abandon(held);
    return true;
}

} // namespace reauth
