// Waits, reads, cuts; waits longer where the other side is behind.
#include "proxy/stdio/standard_input.hpp"

#include <boost/asio/post.hpp>

#include <cerrno>

#include <unistd.h>

namespace reauth {

standard_input::standard_input(int descriptor, executor ex, take_lines take, std::function<void()> ended)
    : ex_(ex), descriptor_(ex), fd_(descriptor), take_(std::move(take)), ended_(std::move(ended)) {
    error_code refused;
    descriptor_.assign(descriptor, refused);
    watched_ = !refused;
}

standard_input::~standard_input() {
    if (watched_ && descriptor_.is_open())
        descriptor_.release();
}

void standard_input::stop() {
    stopped_ = true;
    error_code ignored;
    if (watched_)
        descriptor_.cancel(ignored);
}

void standard_input::dealt_with(std::size_t bytes) {
    ahead_ -= bytes;
    wait();
}

void standard_input::wait() {
    if (stopped_ || waiting_ || ahead_ >= most_ahead)
        return;
    waiting_ = true;
    auto go_on = [self = shared_from_this()](error_code failed) {
        self->waiting_ = false;
        // a file can't be waited for: it is always ready
        if (!self->stopped_ && failed != asio::error::operation_aborted)
            self->read();
    };
    if (watched_)
        descriptor_.async_wait(asio::posix::descriptor_base::wait_read, std::move(go_on));
    else
        asio::post(ex_, [f = std::move(go_on)]() mutable { f(error_code()); });
}

void standard_input::read() {
    const auto got = ::read(fd_, space_.data(), space_.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        wait();
        return;
    }
    if (got > 0) {
        pass_on(cut_.feed(std::string_view(space_.data(), static_cast<std::size_t>(got))));
        wait();
        return;
    }
    // its end, or nothing that could be read
    stopped_ = true;
    std::vector<message_lines::line> last;
    if (auto rest = cut_.finish())
        last.push_back(std::move(*rest));
    pass_on(std::move(last));
    ended_();
}

void standard_input::pass_on(std::vector<message_lines::line> lines) {
    if (lines.empty())
        return;
    for (const auto& l : lines)
        ahead_ += l.text.size();
    take_(std::move(lines));
}

} // namespace reauth
