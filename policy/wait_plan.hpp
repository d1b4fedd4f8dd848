// How a request experiences the wait for a person: when a stream is begun, and when the client gets an answer
// with the link. Pure: times are passed in.
#pragma once

#include "policy/rules.hpp"

#include <chrono>
#include <optional>

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
    wait_settings wait;          ///< of the rule that decided
    bool progress_token = false; ///< the client's time-out starts anew with each progress
    bool elicits = false;        ///< the client declares URL elicitation
    bool event_stream = false;   ///< an event stream may be answered
    bool attended = false;       ///< a page or browser is open for the approval
    bool probe = false;          ///< `server/discover`: clients give it 5 s, whatever they give `initialize`
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
/// … where a person is looking at the approval.
inline constexpr std::chrono::seconds attended_handshake_wait{20};

wait_plan plan_wait(const wait_situation& s);

} // namespace reauth
