// A forward proxy that knows CONNECT alone, and takes every host for this machine.
#pragma once

#include "tests/integration/relay_fixture.hpp"

namespace relay_test {

class connect_proxy {
public:
    /// `answer`: what CONNECT is answered with; anything but 200 ends the connection.
    explicit connect_proxy(std::string answer = "HTTP/1.1 200 Connection established\r\n\r\n")
        : answer_(std::move(answer)), thread_([this] { serve(); }) {}
    ~connect_proxy() {
        over_ = true;
        wire::to(door_.port()); // wakes it
        thread_.join();
        for (auto& t : tunnels_)
            t.join();
    }
    std::string url(const std::string& user = {}) const { return "http://" + user + door_.authority(); }
    /// The heads of the CONNECT requests so far.
    std::vector<std::string> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }

private:
    void serve() {
        for (;;) {
            wire client;
            try {
                client = door_.accept();
            } catch (const std::exception&) { // nobody came for a while
            }
            if (over_)
                return;
            if (client)
                tunnels_.emplace_back([this, c = std::move(client)]() mutable {
                    try {
                        tunnel(std::move(c));
                    } catch (const std::exception&) { // who asked, or whom it was for, has gone
                    }
                });
        }
    }
    void tunnel(wire client) {
        const auto head = client.head();
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back(head);
        }
        client.send(answer_);
        if (!has(answer_, " 200 "))
            return;
        const auto line = head.substr(0, head.find(" HTTP/"));
        auto server = wire::to(static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1))));
        std::thread back([&] {
            for (auto bytes = server.some(); !bytes.empty(); bytes = server.some())
                client.send(bytes);
            client.shut();
        });
        for (auto bytes = client.some(); !bytes.empty(); bytes = client.some())
            server.send(bytes);
        server.shut();
        back.join();
    }

    std::string answer_;
    played_upstream door_;
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::vector<std::string> asked_;
    std::vector<std::thread> tunnels_;
    std::thread thread_;
};

} // namespace relay_test
