// What the tests of `mcp-reauth stdio` share: the whole of it in this process, a client that is two pipes,
// and an upstream that the test plays.
#pragma once

#include "proxy/stdio/run.hpp"
#include "tests/integration/relay_fixture.hpp"

#include <fcntl.h>

#include <future>
#include <sstream>

namespace stdio_test {

using namespace relay_test;

/// run_stdio() on a thread, between two pipes.
class program {
public:
    explicit program(config settings) {
        int in[2], out[2];
        if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
            throw std::runtime_error("no pipe");
        to_ = in[1];
        from_ = out[0];
        ended_ = std::async(std::launch::async, [s = std::move(settings), r = in[0], w = out[1]]() mutable {
            const int code = run_stdio(std::move(s), {r, w, false});
            ::close(r);
            ::close(w);
            return code;
        });
    }
    ~program() {
        end_input();
        end_output();
        if (ended_.valid())
            ended_.wait();
    }
    program(const program&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::write(to_, bytes.data(), bytes.size());
            if (n <= 0)
                throw std::runtime_error("the program takes no input");
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    void say(const json& message) { send(message.dump() + "\n"); }
    /// The next line; empty at the end, or out of patience.
    std::string line() {
        for (;;) {
            if (const auto end = held_.find('\n'); end != std::string::npos) {
                auto out = held_.substr(0, end);
                held_.erase(0, end + 1);
                return out;
            }
            pollfd in{from_, POLLIN, 0};
            char bytes[65536];
            const auto n = ::poll(&in, 1, 20'000) == 1 ? ::read(from_, bytes, sizeof bytes) : 0;
            if (n <= 0)
                return {};
            held_.append(bytes, static_cast<std::size_t>(n));
        }
    }
    json hear() { return json::parse(line(), nullptr, false); }
    void end_input() {
        if (to_ >= 0)
            ::close(std::exchange(to_, -1));
    }
    void end_output() {
        if (from_ >= 0)
            ::close(std::exchange(from_, -1));
    }
    /// The exit code, once it has ended.
    int code() { return ended_.get(); }
    bool ended() { return ended_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

private:
    int to_ = -1, from_ = -1;
    std::string held_;
    std::future<int> ended_;
};

/// The upstream, and the program before it. Every answer closes its connection, so that each request is one.
struct stdio_pair {
    played_upstream up;
    demo_directory home;
    program client;

    explicit stdio_pair(const std::string& more = {})
        : client(settings_of(
              "approval: {listen: \"127.0.0.1:0\", open_browser: never}\nvault: {backend: memory}\n"
              "egress: {allow: [127.0.0.0/8]}\n" +
                  running_proxy::upstream(up.url(), more),
              home.path())) {}

    /// One request that came, and the way to answer it.
    struct heard {
        wire server;
        message request;
        json said() const { return request.parsed(); }
        void json_answer(const json& body, const std::string& fields = {}) {
            server.send(
                answer(body.dump(), "Content-Type: application/json\r\nConnection: close\r\n" + fields));
            server.close();
        }
        void status(const std::string& line, const std::string& body = {}) {
            server.send(answer(body, "Connection: close\r\n", line));
            server.close();
        }
        void stream(const std::string& fields = {}) {
            server.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n" +
                fields + "\r\n");
        }
        void event(const std::string& text) {
            std::ostringstream size;
            size << std::hex << text.size();
            server.send(size.str() + "\r\n" + text + "\r\n");
        }
        void end() {
            server.send("0\r\n\r\n");
            server.close();
        }
        std::string line() const { return request.head.substr(0, request.head.find('\r')); }
    };
    heard next() {
        heard h{up.accept(), {}};
        h.request = read_message(h.server, true);
        return h;
    }
    /// What came in any order: the one whose request line begins so. The others stay.
    heard next(const std::string& method) {
        for (auto at = kept_.begin(); at != kept_.end(); ++at)
            if (at->line().starts_with(method)) {
                auto found = std::move(*at);
                kept_.erase(at);
                return found;
            }
        for (;;) {
            auto h = next();
            if (h.line().starts_with(method))
                return h;
            kept_.push_back(std::move(h));
        }
    }

    /// Up to an open session with the id `session`; the server offers no stream.
    void open(const std::string& session = "s1", bool stream = false) {
        client.say(
            rpc(0, "initialize", {{"protocolVersion", "2025-11-25"}, {"clientInfo", {{"name", "test"}}}}));
        auto first = next("POST");
        first.json_answer(initialized(0), "Mcp-Session-Id: " + session + "\r\n");
        client.hear();
        client.say({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
        next("POST").status("202 Accepted");
        if (!stream)
            next("GET").status("405 Method Not Allowed");
    }
    static json initialized(const json& id) {
        return {{"jsonrpc", "2.0"},
                {"id", id},
                {"result",
                 {{"protocolVersion", "2025-11-25"},
                  {"capabilities", json::object()},
                  {"serverInfo", {{"name", "played"}}}}}};
    }
    static json answered(const json& id, const std::string& text) {
        return {{"jsonrpc", "2.0"}, {"id", id}, {"result", {{"text", text}}}};
    }

private:
    std::deque<heard> kept_;
};

} // namespace stdio_test
