// A queue of bytes and the thread that writes them.
#include "proxy/stdio/standard_output.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reauth {
namespace {

/// A pipe that is ready for writing takes PIPE_BUF bytes (pipe(7)); a file never makes anybody wait.
std::size_t taken_at_once(int descriptor) {
    struct stat about{};
    return ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode) ? 1u << 20 : PIPE_BUF;
}

} // namespace

standard_output::standard_output(int descriptor, executor ex, std::function<void()> broken)
    : descriptor_(descriptor), stop_event_(::eventfd(0, EFD_CLOEXEC)), ex_(ex), broken_(std::move(broken)),
      at_once_(taken_at_once(descriptor)), drained_(ex), thread_([this] { run(); }) {}

standard_output::~standard_output() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
    }
    work_.notify_all();
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event_, &one, sizeof one);
    thread_.join();
    ::close(stop_event_);
}

/// Where nothing waits and the reader has room, a line goes out at once: waking the thread costs more. How
/// much of it went.
std::size_t standard_output::write_at_once(std::string_view text) const {
    if (unwritten_ != 0 || text.size() > at_once_)
        return 0;
    pollfd ready{descriptor_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) != 1 || (ready.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
        return 0;
    const auto done = ::write(descriptor_, text.data(), text.size());
    return done > 0 ? static_cast<std::size_t>(done) : 0;
}

void standard_output::write(std::string_view line) {
    {
        const std::lock_guard hold(mutex_);
        if (gone_)
            return;
        line_.assign(line).push_back('\n');
        const auto out = write_at_once(line_);
        if (out == line_.size())
            return;
        waiting_.append(line_, out);
        unwritten_ += line_.size() - out;
        if (line_.capacity() > much)
            line_ = {};
    }
    work_.notify_one();
}

bool standard_output::full() const {
    const std::lock_guard hold(mutex_);
    return !gone_ && unwritten_ > much;
}

task<void> standard_output::room() {
    while (full())
        co_await drained_.next();
}

void standard_output::flush(std::chrono::steady_clock::time_point until) {
    std::unique_lock hold(mutex_);
    written_.wait_until(hold, until, [this] { return unwritten_ == 0 || gone_; });
}

bool standard_output::wait_for_reader() const {
    std::array<pollfd, 2> both{{{descriptor_, POLLOUT, 0}, {stop_event_, POLLIN, 0}}};
    while (::poll(both.data(), both.size(), -1) < 0)
        if (errno != EINTR)
            return false;
    return both[1].revents == 0;
}

bool standard_output::write_all(std::string_view text) {
    while (!text.empty()) {
        if (!wait_for_reader())
            return false;
        const auto done = ::write(descriptor_, text.data(), std::min(text.size(), at_once_));
        if (done < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (done <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(done));
        const std::lock_guard hold(mutex_);
        const bool was_full = unwritten_ > much;
        unwritten_ -= static_cast<std::size_t>(done);
        if (was_full && unwritten_ <= much)
            asio::post(ex_, [this] { drained_.tell(); });
    }
    return true;
}

void standard_output::run() {
    for (;;) {
        std::string now;
        {
            std::unique_lock hold(mutex_);
            work_.wait(hold, [this] { return stopping_ || !waiting_.empty(); });
            if (stopping_)
                return;
            now.swap(waiting_);
        }
        if (!write_all(now))
            break;
        written_.notify_all();
    }
    {
        const std::lock_guard hold(mutex_);
        gone_ = true;
        waiting_ = {};
        if (stopping_)
            return;
    }
    written_.notify_all();
    asio::post(ex_, [this] {
        drained_.tell();
        broken_();
    });
}

} // namespace reauth
