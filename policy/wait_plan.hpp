// How a request experiences the wait for a person: when a stream is begun, and when the client gets an answer
// with the link. Pure: times are passed in.
#pragma once

#include "policy/rules.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace reauth {

/// What kind of message waits.
enum class waiting_kind {
    call,      ///< a request with an id
    handshake, ///< `initialize`, `server/discover`: clients give up on those soon
    posted,    ///< a notification, or a response posted by the client
    stream,    ///< a GET for an event stream
    other,
};

/// What a wait depends on.
struct wait_situation {
    waiting_kind kind = waiting_kind::other;
    wait_settings wait;                   ///< of the rule that decided
    bool progress_token = false;          ///< the client's time-out starts anew with each progress
    bool elicits = false;                 ///< the client declares URL elicitation
    bool event_stream = false;            ///< an event stream may be answered
    bool attended = false;                ///< a page or browser is open for the approval
    bool patient = false;                 ///< the client is known to wait longer (waits_long)
    std::chrono::milliseconds held_for{}; ///< since the request began
};

/// What follows, counted from now.
struct wait_plan {
    std::optional<std::chrono::milliseconds> stream_after;  ///< nothing: no stream is begun
    std::optional<std::chrono::milliseconds> give_up_after; ///< nothing: it waits without limit
    bool fail_at_once = false;
};

/// SDK clients time out at 60 s: whatever has no progress token is answered before.
inline constexpr std::chrono::seconds short_wait{50};
inline constexpr std::chrono::minutes long_wait{5};
/// What every measured client bears while it connects (docs/clients.md).
inline constexpr std::chrono::seconds handshake_wait{4};
/// … where a person is looking at the approval, or the client is known to wait longer.
inline constexpr std::chrono::seconds attended_handshake_wait{20};

wait_plan plan_wait(const wait_situation& s);

/// Whether a client of this name (`clientInfo.name`) is known to wait half a minute while it connects.
bool waits_long(std::string_view client_name) noexcept;

} // namespace reauth
