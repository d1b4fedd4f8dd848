// Whole writes on a channel: at once where the socket takes them, as a coroutine where it does not.
#pragma once

#include "proxy/net/channel.hpp"

#include <string_view>

namespace reauth {

/// Two runs of bytes on their way; they must stay valid until it is finished.
struct write_job {
    std::string_view first, second;
    bool failed = false;
    io_result::kind blocked = io_result::kind::again_write;
    bool finished() const noexcept { return failed || (first.empty() && second.empty()); }
};

/// Writes what the socket takes now. True when finished (or failed).
bool write_now(channel& to, write_job& job);

/// Writes the rest; false if the connection broke or was interrupted.
loop_task<bool> write_rest(channel& to, write_job job);

} // namespace reauth
