// Server-sent events, as they are written (WHATWG HTML §9.2): one `data:` per line, so that no client hangs.
#pragma once

#include <string>
#include <string_view>

namespace reauth {

/// `event: message` with the text as data; CR, LF and CRLF inside it start a new `data:` line.
std::string sse_event(std::string_view data);

/// A comment, which keeps the connection alive and is no event.
std::string sse_comment(std::string_view text);

/// A JSON answer as events: one for each member if it is an array (a batch), else one.
/// Text that is not JSON becomes one event as it is.
std::string sse_from_json(std::string_view body);

} // namespace reauth
