// What the benchmarks' upstream answers: bytes made once, chosen by path.
#include "bench/traffic/upstream_answers.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <strings.h>

namespace reauth::bench {

namespace {

std::string with_body(std::string_view type, const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string json_of(std::size_t size) {
    const std::string head = R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":")";
    const std::string tail = R"("}]}})";
    return head + std::string(size - head.size() - tail.size(), 'y') + tail;
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

} // namespace

bool read_request(std::string_view bytes, request_summary& request) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos)
        return false;
    request = {};
    request.head = end + 4;
    const auto line = bytes.substr(0, bytes.find("\r\n"));
    const auto space = line.find(' ');
    request.method = line.substr(0, space);
    request.path = line.substr(space + 1, line.rfind(' ') - space - 1);
    for (auto at = line.size() + 2; at < request.head - 2;) {
        const auto stop = bytes.find("\r\n", at);
        const auto field = bytes.substr(at, stop - at);
        if (field.size() > 15 && ::strncasecmp(field.data(), "content-length:", 15) == 0)
            request.body = std::strtoull(std::string(field.substr(15)).c_str(), nullptr, 10);
        else if (field.size() > 14 && ::strncasecmp(field.data(), "authorization:", 14) == 0)
            request.authorized = true;
        at = stop + 2;
    }
    return true;
}

answer choose(const request_summary& request) {
    static const std::string small = with_body("application/json", json_of(300));
    static const std::string middle = with_body("application/json", json_of(64 << 10));
    static const std::string large = with_body("application/json", json_of(1 << 20));
    static const std::string idle = stream_head + "e\r\n: established\n\r\n";
    static const std::string refused =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n";
    if (request.path.substr(0, 5) == "/auth" && !request.authorized)
        return {answer_kind::fixed, &refused};
    if (ends_with(request.path, "/64k"))
        return {answer_kind::fixed, &middle};
    if (ends_with(request.path, "/1m"))
        return {answer_kind::fixed, &large};
    if (ends_with(request.path, "/events"))
        return {answer_kind::events, &stream_head};
    if (ends_with(request.path, "/idle"))
        return {answer_kind::idle_stream, &idle};
    return {answer_kind::fixed, &small};
}

std::string event_chunk(std::uint64_t now) {
    char event[128];
    std::snprintf(event, sizeof event, "64\r\ndata: %020llu%072d\n\n\r\n",
                  static_cast<unsigned long long>(now), 0);
    return event;
}

std::uint64_t now_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

} // namespace reauth::bench
