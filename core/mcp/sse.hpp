// Server-sent events (WHATWG HTML §9.2), written (one `data:` per line, so that no client hangs) and read.
#pragma once

#include "core/text/ascii.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// `event: message` with the text as data; CR, LF and CRLF inside it start a new `data:` line.
std::string sse_event(std::string_view data);

/// A comment, which keeps the connection alive and is no event.
std::string sse_comment(std::string_view text);

/// A JSON answer as events: one for each member if it is an array (a batch), else one.
/// Text that is not JSON becomes one event as it is.
std::string sse_from_json(std::string_view body);

/// Whether a Content-Type is that of an event stream.
inline bool is_event_stream(std::string_view content_type) noexcept {
    return iequals(content_type.substr(0, 17), "text/event-stream");
}

/// Cuts a stream into whole events, comments among them.
class event_reader {
public:
    struct event {
        std::string text;                               ///< as it came, with the empty line that ends it
        std::string name;                               ///< empty: "message"
        std::string data;                               ///< its data lines, joined by LF
        std::optional<std::string> id;                  ///< for Last-Event-ID; may be set to nothing
        std::optional<std::chrono::milliseconds> retry; ///< how long to wait before connecting again
    };
    /// The events that `piece` makes whole.
    std::vector<event> feed(std::string_view piece);
    /// Bytes of an event that is not whole yet.
    std::size_t held() const noexcept { return held_.size(); }

private:
    static void take_line(std::string_view line, event& now);
    std::string held_; ///< since the last empty line
    std::size_t line_ = 0,
                scanned_ = 0; ///< within held_: where the line under way begins, and what was looked at
    event now_;
};

} // namespace reauth
