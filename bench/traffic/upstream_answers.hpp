// What the benchmarks' upstream answers: bytes made once, chosen by path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reauth::bench {

enum class answer_kind { fixed, events, idle_stream };

/// What a request asks for.
struct answer {
    answer_kind kind = answer_kind::fixed;
    const std::string* bytes = nullptr; ///< head and body, or the head of a stream
};

/// A request head without its body; `body` bytes follow it.
struct request_summary {
    std::size_t head = 0;
    std::uint64_t body = 0;
    std::string_view method, path;
    bool authorized = false; ///< an Authorization field is there
};

/// False if the head is not complete yet. Trusting: it reads what our own proxies send.
bool read_request(std::string_view bytes, request_summary& request);

/// `/…/64k`, `/…/1m`: bodies of that size; `/…/events`: an event stream with time stamps; `/…/idle`: a stream
/// that says one thing; `/auth…` without Authorization: 401; all else: 300 bytes of JSON.
answer choose(const request_summary& request);

/// One chunk with one event of 100 bytes whose data begins with `now`, in nanoseconds, 20 digits.
std::string event_chunk(std::uint64_t now);

/// CLOCK_MONOTONIC in nanoseconds: the same for every process of the machine.
std::uint64_t now_ns();

} // namespace reauth::bench
