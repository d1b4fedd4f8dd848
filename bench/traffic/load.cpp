// The load generator of the benchmarks, for what wrk can't do: exact counts, event streams, crowds of idle
// streams.
//   bench_load requests PORT PATH CONNECTIONS COUNT BODY_BYTES [PER_SECOND]   prints JSON
//   bench_load events PORT PATH STREAMS SECONDS                  prints JSON
//   bench_load hold PORT PATH STREAMS                            prints "ready", stays until stdin closes
#include "bench/traffic/closed_loop.hpp"
#include "bench/traffic/event_streams.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

using namespace reauth::bench;

namespace {

int requests(std::uint16_t port, const std::string& path, char** rest) {
    closed_loop loop(port, post_request(port, path, std::strtoull(rest[2], nullptr, 10)),
                     static_cast<unsigned>(std::atoi(rest[0])));
    const auto out = loop.run(std::strtoull(rest[1], nullptr, 10), 60, rest[3] ? std::atof(rest[3]) : 0);
    if (!out.first_error.empty())
        std::fprintf(stderr, "bench_load: first bad answer:\n%s\n", out.first_error.c_str());
    std::printf(
        "{\"requests\": %zu, \"errors\": %llu, \"seconds\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
        out.latencies.size(), static_cast<unsigned long long>(out.errors), out.seconds, out.quantile_us(0.5),
        out.quantile_us(0.99));
    return 0;
}

int events(std::uint16_t port, const std::string& path, char** rest) {
    const auto out = read_events(port, path, static_cast<unsigned>(std::atoi(rest[0])), std::atof(rest[1]));
    const loop_outcome as{out.delays, 0, {}, out.seconds};
    std::printf("{\"events\": %zu, \"seconds\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
                out.delays.size(), out.seconds, as.quantile_us(0.5), as.quantile_us(0.99));
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::string verb = argc > 1 ? argv[1] : "";
    const int wanted = verb == "requests" ? 7 : verb == "events" ? 6 : verb == "hold" ? 5 : 0;
    if (argc != wanted && !(verb == "requests" && argc == 8)) {
        std::fprintf(
            stderr, "usage: bench_load requests PORT PATH CONNECTIONS COUNT BODY_BYTES [PER_SECOND] | events "
                    "PORT PATH STREAMS SECONDS | "
                    "hold PORT PATH STREAMS\n");
        return 2;
    }
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    try {
        if (verb == "requests")
            return requests(port, argv[3], argv + 4);
        if (verb == "events")
            return events(port, argv[3], argv + 4);
        return hold_streams(port, argv[3], static_cast<unsigned>(std::atoi(argv[4])), 30) ? 0 : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_load: %s\n", e.what());
        return 1;
    }
}
