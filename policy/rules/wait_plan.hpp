// How a request experiences the wait for a person: when a stream is begun, and when the client gets an answer
// with the link. Pure: times are passed in.
#pragma once

#include "policy/rules/rules.hpp"

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

/// One request's wait as time goes on: what is due next, and when to look again. Until an approval is known
/// the wait is for silent work: a GET's stream is begun after the grace, a call waits as long as that takes,
/// anything else `short_wait`.
class wait_course {
public:
    using time_point = std::chrono::steady_clock::time_point;
    enum class due {
        nothing,
        fail_at_once, ///< the rule wants the client to be told of the approval right away
        give_up,      ///< its time is over
        begin_stream, ///< our own head, so that the client sees a living answer
        heartbeat,
    };

    /// `streaming`: our own head is out since an earlier wait of the same request.
    wait_course(const wait_situation& s, bool streaming, time_point now);
    /// An approval waits, or somebody begins to look at it. A change of who looks counts for a handshake
    /// only: a call's time is not begun anew.
    void approval(const wait_situation& s, time_point now);
    /// What is due; the same is not told twice.
    due next(time_point now);
    time_point wake_at() const noexcept;
    bool approval_known() const noexcept { return known_; }
    bool fails_at_once() const noexcept { return fail_at_once_; }

private:
    static constexpr auto never = time_point::max();
    std::chrono::milliseconds heartbeat_;
    time_point stream_at_ = never, beat_at_ = never, give_up_at_ = never;
    bool streaming_, known_ = false, attended_ = false, fail_at_once_ = false;
};

} // namespace reauth
