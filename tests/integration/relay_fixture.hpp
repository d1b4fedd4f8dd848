// What the relay's tests share: a proxy in this process, raw clients, and upstreams that a test plays byte by
// byte. Every socket gives up after a while, so that a failure is a failure and no hang.
#pragma once

#include "conf/load.hpp"
#include "proxy/demo/http_client.hpp"
#include "proxy/demo/person.hpp"
#include "proxy/demo/stage.hpp"
#include "proxy/service/runtime.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace relay_test {

using reauth::test::has;

using namespace reauth;
using nlohmann::json;

/// A connected socket, used blocking.
class wire {
public:
    wire() = default;
    explicit wire(int fd) : fd_(fd) {
        timeval patience{20, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    wire(wire&& o) noexcept : fd_(std::exchange(o.fd_, -1)), buffer_(std::move(o.buffer_)) {}
    wire& operator=(wire&& o) noexcept {
        close();
        fd_ = std::exchange(o.fd_, -1);
        buffer_ = std::move(o.buffer_);
        return *this;
    }
    ~wire() { close(); }

    static wire to(std::uint16_t port) {
        int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("no connection to a server of the test");
        return wire(fd);
    }
    static wire to(const std::string& path) {
        int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("no connection to a Unix socket of the test");
        return wire(fd);
    }

    void close() {
        if (fd_ >= 0)
            ::close(std::exchange(fd_, -1));
    }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    /// For each send from now on.
    void patience(const timeval& t) { ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t); }
    /// Sends no more.
    void shut() { ::shutdown(fd_, SHUT_WR); }
    /// Closes with a reset.
    void cut() {
        linger hard{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close();
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    /// One read: what is there, or what comes next; empty at the end (or a reset, or out of patience).
    std::string some() {
        if (!buffer_.empty())
            return std::exchange(buffer_, {});
        char bytes[65536];
        auto n = ::recv(fd_, bytes, sizeof bytes, 0);
        ended_ = n == 0;
        return n > 0 ? std::string(bytes, static_cast<std::size_t>(n)) : std::string();
    }
    /// Up to and with `mark`; what there was if it never comes.
    std::string until(std::string_view mark) {
        std::string out;
        for (;;) {
            if (auto at = out.find(mark); at != std::string::npos) {
                buffer_ = out.substr(at + mark.size()) + buffer_;
                out.resize(at + mark.size());
                return out;
            }
            auto more = some();
            if (more.empty())
                return out;
            out += more;
        }
    }
    std::string exactly(std::size_t n) {
        std::string out;
        while (out.size() < n) {
            auto more = some();
            if (more.empty())
                return out;
            out += more;
        }
        buffer_ = out.substr(n) + buffer_;
        out.resize(n);
        return out;
    }
    std::string head() { return until("\r\n\r\n"); }
    std::string rest() {
        std::string out;
        for (auto more = some(); !more.empty(); more = some())
            out += more;
        return out;
    }
    /// After a read that gave nothing: the peer closed properly.
    bool ended() const { return ended_; }
    /// The peer has closed or reset; waits for it.
    bool gone() { return some().empty(); }
    /// The payload of a chunked body, to its end; `whole` tells whether there was one.
    std::string chunks(bool* whole = nullptr) {
        std::string out;
        for (;;) {
            auto line = until("\r\n");
            std::size_t n = line.size() > 2 ? std::stoul(line, nullptr, 16) : 0;
            if (whole)
                *whole = line == "0\r\n";
            if (n == 0) {
                until("\r\n");
                return out;
            }
            out += exactly(n);
            until("\r\n");
        }
    }
    /// The payload of one chunk.
    std::string chunk() {
        auto line = until("\r\n");
        std::string out = exactly(line.size() > 2 ? std::stoul(line, nullptr, 16) : 0);
        until("\r\n");
        return out;
    }

private:
    int fd_ = -1;
    std::string buffer_;
    bool ended_ = false;
};

inline std::string field(const std::string& head, const std::string& name) {
    auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos)
        return {};
    at += name.size() + 4;
    return head.substr(at, head.find("\r\n", at) - at);
}

/// A head and the body that it announces.
struct message {
    std::string head, body;
    unsigned status() const {
        return head.size() > 12 ? static_cast<unsigned>(std::stoul(head.substr(9, 3))) : 0;
    }
    std::string get(const std::string& name) const { return field(head, name); }
    json parsed() const { return json::parse(body, nullptr, false); }
};

inline message read_message(wire& from, bool has_body = true) {
    message m;
    m.head = from.head();
    if (!has_body)
        return m;
    if (auto length = field(m.head, "Content-Length"); !length.empty())
        m.body = from.exactly(std::stoul(length));
    else if (has(m.head, "Transfer-Encoding: chunked"))
        m.body = from.chunks();
    else if (m.head.rfind("HTTP/", 0) == 0 && m.status() != 204 && m.status() != 304)
        m.body = from.rest();
    return m;
}

inline std::string answer(const std::string& body, const std::string& fields = {},
                          const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

/// Listens; a test accepts and plays the server. Requests for metadata are answered by a thread of its own.
class played_upstream {
public:
    /// `metadata`: the protected resource metadata, given the upstream's own URL; empty: 404.
    explicit played_upstream(std::function<std::string(const std::string& url)> metadata = {})
        : metadata_(std::move(metadata)) {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, 256) != 0)
            throw std::runtime_error("the test's upstream can't listen");
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { sort(); });
    }
    ~played_upstream() {
        over_ = true;
        ::shutdown(fd_, SHUT_RDWR);
        thread_.join();
        ::close(fd_);
    }
    played_upstream(const played_upstream&) = delete;

    std::uint16_t port() const { return port_; }
    std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
    std::string url() const { return "http://" + authority() + "/mcp"; }
    /// The next connection.
    wire accept() {
        std::unique_lock lock(mutex_);
        if (!came_.wait_for(lock, std::chrono::seconds(20), [&] { return !waiting_.empty(); }))
            throw std::runtime_error("no connection came to the test's upstream");
        wire w(waiting_.front());
        waiting_.pop_front();
        return w;
    }
    /// Connections that came and were not accepted.
    std::size_t pending() {
        std::lock_guard lock(mutex_);
        return waiting_.size();
    }

private:
    void sort() {
        for (;;) {
            int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0 || over_)
                return;
            // who connects speaks first: metadata is told apart by the request line
            char start[64] = {};
            pollfd ready{fd, POLLIN, 0};
            if (metadata_ && ::poll(&ready, 1, 20'000) == 1) {
                auto n = ::recv(fd, start, sizeof start, MSG_PEEK);
                if (n > 0 && std::string_view(start, static_cast<std::size_t>(n)).find("/.well-known/") !=
                                 std::string_view::npos) {
                    wire w(fd);
                    w.head();
                    w.send(
                        answer(metadata_(url()), "Content-Type: application/json\r\nConnection: close\r\n"));
                    continue;
                }
            }
            std::lock_guard lock(mutex_);
            waiting_.push_back(fd);
            came_.notify_all();
        }
    }

    std::function<std::string(const std::string&)> metadata_;
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<int> waiting_;
    std::thread thread_;
};

/// Settings from YAML; ports are chosen by the system, the vault is memory.
inline config settings_of(const std::string& yaml, const std::string& home) {
    config_inputs inputs;
    inputs.environment = {{"HOME", home}, {"XDG_STATE_HOME", home}};
    inputs.flags = {{"log.level", "off"}};
    auto loaded = load_config_text(yaml, "test.yaml", inputs);
    if (!loaded)
        throw std::runtime_error(loaded.error().describe());
    return std::move(*loaded);
}

/// A proxy that runs as long as this lives.
class running_proxy {
public:
    /// `yaml` holds upstreams and what else is needed; listeners and vault are added. `change` has the last
    /// word.
    explicit running_proxy(const std::string& yaml, const std::function<void(config&)>& change = {}) {
        auto settings =
            settings_of("approval: {listen: \"127.0.0.1:0\", open_browser: never}\nvault: {backend: memory}\n"
                        "egress: {allow: [127.0.0.0/8]}\n" +
                            yaml,
                        home.path());
        settings.listen.port = 0;
        if (settings.workers == 0)
            settings.workers = 2;
        if (change)
            change(settings);
        proxy = std::make_unique<server>(std::move(settings));
        auto started = proxy->start();
        if (!started)
            throw std::runtime_error(started.error().describe());
        page = "http://127.0.0.1:" + std::to_string(proxy->approval_port());
    }
    /// One upstream named `up`.
    static std::string upstream(const std::string& url, const std::string& more = {}) {
        return "upstreams: {up: {url: \"" + url + "\"" + (more.empty() ? "" : ", " + more) + "}}\n";
    }

    std::uint16_t port() const { return proxy->listen_port(); }
    wire connect() const { return wire::to(port()); }
    std::string host() const { return "Host: 127.0.0.1:" + std::to_string(port()) + "\r\n"; }
    std::string url(const std::string& path = "/up") const {
        return "http://127.0.0.1:" + std::to_string(port()) + path;
    }
    /// A whole request: `line` like "POST /up"; a body gets its length.
    std::string request(const std::string& line, const std::string& fields = {},
                        const std::string& body = {}) const {
        return line + " HTTP/1.1\r\n" + host() + fields +
               (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" +
               body;
    }
    std::uint64_t count(const std::string& name) const { return proxy->counter("mcp_reauth_" + name); }
    /// Waits until a gauge or counter has that value; the value it has in the end.
    std::uint64_t await(const std::string& name, std::uint64_t wanted) const {
        auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        auto value = count(name);
        while (value != wanted && std::chrono::steady_clock::now() < until) {
            std::this_thread::yield();
            value = count(name);
        }
        return value;
    }

    /// The approval API with the operator's token.
    http_response api(const std::string& method, const std::string& path,
                      const std::string& body = {}) const {
        return demo_http(method, page + "/api/" + path,
                         {{"Authorization", "Bearer " + proxy->operator_token()}}, body)
            .value();
    }
    json approvals() const { return json::parse(api("GET", "approvals").body)["approvals"]; }
    /// The first approval that waits; waits for it.
    json approval() const {
        auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (std::chrono::steady_clock::now() < until)
            if (auto all = approvals(); !all.empty())
                return all[0];
        throw std::runtime_error("no approval came up");
    }
    /// Approves the first approval and goes through the provider's pages.
    void approve() const {
        auto id = approval()["id"].get<std::string>();
        auto said = json::parse(api("POST", "approvals/" + id + "/approve").body);
        if (said.value("status", "") == "redirect")
            demo_browse(said["location"].get<std::string>()).value();
    }
    void deny() const {
        auto id = approval()["id"].get<std::string>();
        auto said = api("POST", "approvals/" + id + "/deny");
        if (said.status != 200)
            throw std::runtime_error("deny was answered " + said.body);
    }

    demo_directory home;
    std::string page;
    std::unique_ptr<server> proxy;
};

/// A proxy in front of an upstream that the test plays, and one client connection.
struct plain_pair {
    played_upstream up;
    running_proxy proxy{running_proxy::upstream(up.url())};
    wire client = proxy.connect();

    /// Sends, and gives what arrived upstream.
    message ask(wire& server, const std::string& request) {
        if (!client.send(request))
            throw std::runtime_error("the proxy has closed the client's connection");
        return read_message(server);
    }
    /// The upstream's connection, kept after a first exchange.
    wire open() {
        client.send(proxy.request("GET /up"));
        auto server = up.accept();
        read_message(server);
        server.send(answer("first"));
        read_message(client);
        return server;
    }
};

inline json rpc(const json& id, const std::string& method, json params = json::object()) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}

inline const std::string json_fields =
    "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";

} // namespace relay_test
