// Load in a closed loop: every connection sends its next request when the answer to the last has come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reauth::bench {

/// What a run measured.
struct loop_outcome {
    std::vector<std::uint64_t> latencies; ///< nanoseconds, one a request, unsorted
    std::uint64_t errors = 0;             ///< answers other than 2xx, and connections that broke
    std::string first_error;              ///< the answer that was no 2xx, its beginning
    double seconds = 0;

    /// The p-quantile (0 to 1) in microseconds.
    double quantile_us(double p) const;
};

/// Connections to one port of 127.0.0.1 that stay open from run to run.
class closed_loop {
public:
    /// `request`: the whole request, sent again and again. Throws std::runtime_error where nobody listens.
    closed_loop(std::uint16_t port, std::string request, unsigned connections);
    ~closed_loop();
    closed_loop(const closed_loop&) = delete;

    /// Sends `count` requests over all connections, `per_second` at most (0: as fast as it goes). Ends after
    /// `limit` seconds whatever happens; what has no answer by then counts as an error.
    loop_outcome run(std::uint64_t count, double limit, double per_second = 0);

private:
    struct connection {
        int fd = -1;
        std::string in;
        std::size_t expected = 0; ///< bytes of the answer, once its head is here
        std::uint64_t started = 0;
        bool busy = false;
        unsigned status = 0;
    };
    void send_one(connection& c, loop_outcome& into);
    bool receive(connection& c, loop_outcome& into);

    std::string request_;
    std::vector<connection> connections_;
    std::size_t open_ = 0;
    int poll_;
};

/// A POST with a JSON-RPC body of `body` bytes.
std::string post_request(std::uint16_t port, const std::string& path, std::size_t body,
                         const std::string& more_fields = {});
/// A GET that asks for an event stream.
std::string stream_request(std::uint16_t port, const std::string& path);
/// A connected, non-blocking socket to 127.0.0.1; throws std::runtime_error.
int connect_to(std::uint16_t port);

} // namespace reauth::bench
