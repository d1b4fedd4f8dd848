// Where a bridge says what its client hears.
#pragma once

#include "proxy/net/task.hpp"

#include <string_view>

namespace reauth {

/// Where lines for the client go.
class line_output {
public:
    virtual ~line_output() = default;
    /// One message, without its end.
    virtual void write(std::string_view line) = 0;
    /// More than a little waits to be written: who can wait waits.
    virtual bool full() const = 0;
    /// Returns when it is not full any more, or nobody reads.
    virtual task<void> room() = 0;
};

} // namespace reauth
