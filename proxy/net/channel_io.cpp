// Goes on where the socket stopped.
#include "proxy/net/channel_io.hpp"

#include <sys/uio.h>

namespace reauth {
namespace {

void advance(write_job& job, std::size_t n) noexcept {
    auto a = n < job.first.size() ? n : job.first.size();
    job.first.remove_prefix(a);
    job.second.remove_prefix(n - a);
}

} // namespace

bool write_now(channel& to, write_job& job) {
    while (!job.finished()) {
        iovec parts[2] = {{const_cast<char*>(job.first.data()), job.first.size()},
                          {const_cast<char*>(job.second.data()), job.second.size()}};
        auto* start = job.first.empty() ? parts + 1 : parts;
        const int count = job.first.empty() || job.second.empty() ? 1 : 2;
        auto r = to.write(start, count);
        if (r.is == io_result::kind::ok) {
            advance(job, r.n);
        } else if (r.is == io_result::kind::again_read || r.is == io_result::kind::again_write) {
            job.blocked = r.is;
            return false;
        } else {
            job.failed = true;
        }
    }
    return true;
}

loop_task<bool> write_rest(channel& to, write_job job) {
    while (!write_now(to, job)) {
        if (to.interrupted())
            co_return false;
        co_await to.wait(job.blocked);
    }
    co_return !job.failed;
}

} // namespace reauth
