// Something that any number of coroutines on one thread wait for.
#pragma once

#include "proxy/net/task.hpp"

namespace reauth {

/// Who waits looks again at what it waits for whenever it is woken. Use on the executor's thread.
class changes {
public:
    explicit changes(executor ex) : timer_(ex, (std::chrono::steady_clock::time_point::max)()) {}
    /// Returns at the next tell().
    task<void> next() {
        error_code woken;
        co_await timer_.async_wait(asio::redirect_error(use_task, woken));
    }
    void tell() { timer_.cancel(); }

private:
    loop_timer timer_;
};

} // namespace reauth
