// Many event streams at once: how late events come, and a crowd that stays and says nothing.
#include "bench/traffic/event_streams.hpp"

#include "bench/traffic/clock.hpp"
#include "bench/traffic/closed_loop.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace reauth::bench {

namespace {

/// Open streams, watched.
class crowd {
public:
    crowd(std::uint16_t port, const std::string& path, unsigned streams) : poll_(::epoll_create1(0)) {
        const std::string request = stream_request(port, path);
        for (unsigned i = 0; i < streams; ++i) {
            const int fd = connect_to(port);
            sockets_.push_back(fd);
            epoll_event e{};
            e.events = EPOLLIN;
            e.data.fd = fd;
            ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &e);
            if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0)
                std::perror("bench_load: send");
        }
    }
    ~crowd() {
        for (const int fd : sockets_)
            ::close(fd);
        ::close(poll_);
    }
    crowd(const crowd&) = delete;

    /// Calls f(fd, bytes) for what comes within 100 ms. A closed stream is forgotten.
    template<class F>
    void wait(F&& f) {
        epoll_event ready[256];
        const int n = ::epoll_wait(poll_, ready, 256, 100);
        for (int i = 0; i < n; ++i) {
            char scratch[16 << 10];
            const auto got = ::recv(ready[i].data.fd, scratch, sizeof scratch, 0);
            if (got > 0)
                f(ready[i].data.fd, std::string_view(scratch, static_cast<std::size_t>(got)));
            else
                ::epoll_ctl(poll_, EPOLL_CTL_DEL, ready[i].data.fd, nullptr);
        }
    }

private:
    int poll_;
    std::vector<int> sockets_;
};

} // namespace

stream_outcome read_events(std::uint16_t port, const std::string& path, unsigned streams, double seconds) {
    crowd all(port, path, streams);
    stream_outcome out;
    const auto start = now() + 1'000'000'000u;
    const auto end = start + static_cast<std::uint64_t>(seconds * 1e9);
    while (now() < end)
        all.wait([&](int, std::string_view bytes) {
            const auto here = now();
            // an event is sent in one piece, so that one cut in two is rare enough to be left out
            for (auto at = bytes.find("data: "); at != std::string_view::npos;
                 at = bytes.find("data: ", at + 6))
                if (here >= start && bytes.size() >= at + 26)
                    out.delays.push_back(
                        here - std::strtoull(std::string(bytes.substr(at + 6, 20)).c_str(), nullptr, 10));
        });
    out.seconds = seconds;
    return out;
}

bool hold_streams(std::uint16_t port, const std::string& path, unsigned streams, double limit) {
    crowd all(port, path, streams);
    std::vector<bool> spoke;
    unsigned count = 0;
    for (const auto end = now() + static_cast<std::uint64_t>(limit * 1e9); count < streams && now() < end;)
        all.wait([&](int fd, std::string_view bytes) {
            const auto at = static_cast<std::size_t>(fd);
            if (spoke.size() <= at)
                spoke.resize(at + 1);
            if (!spoke[at] && bytes.find("established") != std::string_view::npos) {
                spoke[at] = true;
                ++count;
            }
        });
    if (count < streams) {
        std::fprintf(stderr, "bench_load: %u of %u streams came\n", count, streams);
        return false;
    }
    std::puts("ready");
    std::fflush(stdout);
    char ignored = 0;
    while (::read(STDIN_FILENO, &ignored, 1) > 0)
        ;
    return true;
}

} // namespace reauth::bench
