// Runs a command without a shell, on the control thread, with a text on its standard input.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/net/task.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

struct child_command {
    std::vector<std::string> arguments;   ///< the program (looked for on PATH) and what it is given
    std::vector<std::string> environment; ///< NAME=VALUE, the whole of it
    std::string input;                    ///< for its standard input, which then ends
    /// It is killed after this; nothing: it may go on for as long as it likes (a browser).
    std::optional<std::chrono::milliseconds> patience;
};

/// Ends with the command. Its output goes nowhere, but the beginning of what it wrote to standard error is in
/// the failure, if it ends with another status than 0. No other descriptor of ours is open in it, and it has
/// a session of its own: a Ctrl-C that ends us does not end it.
task<result<void>> run_child(executor ex, child_command command);

} // namespace reauth
