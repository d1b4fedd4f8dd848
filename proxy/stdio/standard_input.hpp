// What the client says, line by line. Standard input may be a pipe, a socket, a terminal or a file; it is
// never made non-blocking, since others may share it: it is read when it is ready.
#pragma once

#include "core/mcp/message_lines.hpp"
#include "proxy/net/task.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <functional>
#include <memory>
#include <vector>

namespace reauth {

/// Used on its executor's thread; owned by a shared_ptr, which its waits hold.
class standard_input : public std::enable_shared_from_this<standard_input> {
public:
    /// A message may be this long.
    static constexpr std::size_t longest = 16u << 20;
    /// Nothing more is read while lines of so many bytes have not been dealt with.
    static constexpr std::size_t most_ahead = 32u << 20;

    using take_lines = std::function<void(std::vector<message_lines::line>)>;

    /// `ended` is called once, at the end of the input. The descriptor stays its owner's.
    standard_input(int descriptor, executor ex, take_lines take, std::function<void()> ended);
    ~standard_input();
    standard_input(const standard_input&) = delete;

    void start() { wait(); }
    /// Reads no more, and calls nothing any more.
    void stop();
    /// Lines of so many bytes have been dealt with.
    void dealt_with(std::size_t bytes);

private:
    void wait();
    void read();
    void pass_on(std::vector<message_lines::line> lines);

    executor ex_;
    asio::posix::basic_stream_descriptor<executor> descriptor_;
    const int fd_;
    bool watched_ = true; ///< it is one that can be waited for
    take_lines take_;
    std::function<void()> ended_;
    message_lines cut_{longest};
    std::size_t ahead_ = 0;
    bool waiting_ = false, stopped_ = false;
    std::array<char, 64 * 1024> space_;
};

} // namespace reauth
