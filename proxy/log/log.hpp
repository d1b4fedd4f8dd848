// The log: one line an event, text or JSON, on stderr. Values from outside are cleaned; secrets can't get in
// by type.
#pragma once

#include "conf/config.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace reauth {

enum class log_level { trace, debug, info, warn, error };

/// Name and value of one detail.
using log_field = std::pair<std::string_view, std::string>;

/// Sets format and level; unknown levels mean info.
void start_log(const log_config& settings);
bool log_enabled(log_level level) noexcept;
/// What the lines of this thread are about while it lasts: they say so.
class log_scope {
public:
    struct subject {
        std::string_view recovery; ///< a timeline's id
        std::string_view trace;    ///< a `traceparent`; empty: none
    };
    explicit log_scope(subject about) noexcept;
    ~log_scope();
    log_scope(const log_scope&) = delete;

private:
    subject about_;
    const subject* before_;
};

/// The last lines that were written, the oldest first, each with its line feed: for a bug report.
std::string last_log_lines();

/// Writes one event. Text: `time level event key=value …`; JSON: one object a line.
void log_event(log_level level, std::string_view event, std::initializer_list<log_field> fields = {});

} // namespace reauth
