// What the client says, line by line: standard input, read on a thread of its own. It may be a pipe, a
// socket, a terminal or a file, and is never made non-blocking: others may share it.
#pragma once

#include "core/message_lines.hpp"
#include "proxy/net/task.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace reauth {

class standard_input {
public:
    /// A message may be this long.
    static constexpr std::size_t longest = 16u << 20;
    /// Nothing more is read while lines of so many bytes have not been dealt with.
    static constexpr std::size_t most_ahead = 32u << 20;

    using take_lines = std::function<void(std::vector<message_lines::line>)>;

    /// `take` and, once, `ended` are called on `ex`.
    standard_input(int descriptor, executor ex, take_lines take, std::function<void()> ended);
    /// Stops reading.
    ~standard_input();
    standard_input(const standard_input&) = delete;

    /// Lines of so many bytes have been dealt with. From any thread.
    void dealt_with(std::size_t bytes);

private:
    void run();
    bool wait_for_room();
    bool wait_for_input() const;
    void pass_on(std::vector<message_lines::line> lines);

    const int descriptor_;
    int stop_event_;
    executor ex_;
    const take_lines take_;
    const std::function<void()> ended_;
    std::mutex mutex_;
    std::condition_variable room_;
    std::size_t ahead_ = 0;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace reauth
