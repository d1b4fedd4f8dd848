// The client's side of one exchange: what of an answer it has got.
#pragma once

#include "proxy/net/channel_io.hpp"
#include "proxy/net/task.hpp"
#include "proxy/relay/downstream.hpp"

#include <string>
#include <string_view>

namespace reauth {

/// Owned by the exchange. Whatever can't be written loses the client (downstream::gone).
class client_answer {
public:
    client_answer(downstream& down, bool keeps) : down_(down), keeps_(keeps) {}

    /// Its connection can serve another request.
    bool keeps() const noexcept { return keeps_ && !down_.gone(); }
    void keep_only_if(bool condition) noexcept { keeps_ = keeps_ && condition; }

    /// Bytes of the upstream's answer are out: nothing can be sent again, and no other answer given.
    bool begun() const noexcept { return begun_; }
    void begin() noexcept { begun_ = true; }
    /// Our own event stream is under way: the answer goes on in it.
    bool streaming() const noexcept { return streaming_; }

    /// Writes a whole answer, or a part of one; it must stay valid until then.
    loop_task<bool> write(std::string_view text);
    /// Our own 200 SSE head: the client's time-out machinery now sees a living answer.
    loop_task<bool> begin_stream();
    /// Events, as one chunk; empty text writes nothing (it would end the answer).
    loop_task<bool> write_events(std::string text);
    loop_task<bool> end_stream();

private:
    downstream& down_;
    bool keeps_, begun_ = false, streaming_ = false;
};

/// Text as one chunk (RFC 9112 §7.1); empty stays empty.
std::string in_chunk(std::string_view text);

} // namespace reauth
