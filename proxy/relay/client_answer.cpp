// Writing to the client.
#include "proxy/relay/client_answer.hpp"

namespace reauth {

loop_task<bool> client_answer::write(std::string_view text) {
    const write_job job{text, {}};
    const bool written = co_await write_rest(down_.client(), job);
    if (!written)
        down_.lose();
    co_return written;
}

loop_task<bool> client_answer::begin_stream() {
    streaming_ = true;
    co_return co_await write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "X-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n");
}

loop_task<bool> client_answer::write_events(std::string text) {
    const auto framed = in_chunk(text);
    co_return co_await write(framed);
}

loop_task<bool> client_answer::end_stream() {
    co_return co_await write("0\r\n\r\n");
}

std::string in_chunk(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string framed;
    if (text.empty())
        return framed;
    for (std::size_t n = text.size(); n > 0; n /= 16)
        framed.insert(framed.begin(), digits[n % 16]);
    framed += "\r\n";
    framed += text;
    framed += "\r\n";
    return framed;
}

} // namespace reauth
