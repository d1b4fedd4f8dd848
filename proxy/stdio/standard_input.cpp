// Reads, cuts, and hands over; waits where the other side is behind.
#include "proxy/stdio/standard_input.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace reauth {

standard_input::standard_input(int descriptor, executor ex, take_lines take, std::function<void()> ended)
    : descriptor_(descriptor), stop_event_(::eventfd(0, EFD_CLOEXEC)), ex_(ex), take_(std::move(take)),
      ended_(std::move(ended)), thread_([this] { run(); }) {}

standard_input::~standard_input() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
    }
    room_.notify_all();
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event_, &one, sizeof one);
    thread_.join();
    ::close(stop_event_);
}

void standard_input::dealt_with(std::size_t bytes) {
    {
        const std::lock_guard hold(mutex_);
        ahead_ -= bytes;
    }
    room_.notify_all();
}

bool standard_input::wait_for_room() {
    std::unique_lock hold(mutex_);
    room_.wait(hold, [this] { return stopping_ || ahead_ < most_ahead; });
    return !stopping_;
}

bool standard_input::wait_for_input() const {
    std::array<pollfd, 2> both{{{descriptor_, POLLIN, 0}, {stop_event_, POLLIN, 0}}};
    while (::poll(both.data(), both.size(), -1) < 0)
        if (errno != EINTR)
            return false;
    return both[1].revents == 0;
}

void standard_input::pass_on(std::vector<message_lines::line> lines) {
    if (lines.empty())
        return;
    {
        const std::lock_guard hold(mutex_);
        for (const auto& l : lines)
            ahead_ += l.text.size();
    }
    asio::post(ex_, [take = take_, l = std::move(lines)]() mutable { take(std::move(l)); });
}

void standard_input::run() {
    message_lines cut(longest);
    std::array<char, 64 * 1024> space;
    while (wait_for_room() && wait_for_input()) {
        const auto got = ::read(descriptor_, space.data(), space.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            break; // its end, or nothing that could be read
        pass_on(cut.feed(std::string_view(space.data(), static_cast<std::size_t>(got))));
    }
    if (auto rest = cut.finish()) {
        std::vector<message_lines::line> last;
        last.push_back(std::move(*rest));
        pass_on(std::move(last));
    }
    asio::post(ex_, ended_);
}

} // namespace reauth
