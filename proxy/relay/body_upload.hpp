// The client's body on its way up: read as it comes, recorded by replay_body, and sent on.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/relay/downstream.hpp"
#include "proxy/relay/phase_clock.hpp"
#include "proxy/relay/replay_body.hpp"

namespace reauth {

/// One attempt's way up; owned by the exchange. A client that closes sets downstream::gone.
class body_upload {
public:
    body_upload(downstream& down, replay_body& body, phase_clock& clock, const limits_config& limits)
        : down_(down), body_(body), clock_(clock), limits_(limits) {}

    /// Waits for a body that stays where it is received. False: the client went away, or was too slow.
    loop_task<bool> fill();
    /// Reads what is left of it into the record, as far as there is room and the client sends. A failure: its
    /// framing is broken.
    loop_task<result<void>> finish();

    /// Takes what the client has sent by now of a body that does not stay where it was received, so that it
    /// goes up in few pieces. Waits for nothing.
    void take_at_hand();
    /// The whole request in one go, where the body is complete and the socket takes it: true if that is done
    /// (or the connection broke), false where send() must go on.
    bool send_at_once(channel& up, std::string& head);
    /// Sends head and body. An upstream that answers early ends it; one whose connection breaks may still
    /// have answered. A failure: the body's framing is broken.
    loop_task<result<void>> send(channel& up, std::string& head);
    /// Whether the upstream got all of the last one.
    bool done() const noexcept { return done_; }

private:
    io_result read_piece();
    loop_task<result<bool>> read_some(bool forwarding);
    loop_task<result<void>> forward(channel& up);
    static void on_early_answer(void* self);

    downstream& down_;
    replay_body& body_;
    phase_clock& clock_;
    const limits_config& limits_;
    write_job job_;
    channel* up_ = nullptr;
    bool early_answer_ = false, done_ = false;
};

} // namespace reauth
