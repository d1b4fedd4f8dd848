// Accepts clients (TCP, Unix socket, TLS) and hands them to the workers in turn.
#pragma once

#include "proxy/relay/worker.hpp"

#include <functional>

namespace reauth {

/// One listening address. Accepts on the first worker's thread; every worker gets the next connection in
/// turn, so that few long-lived clients spread evenly.
class listener {
public:
    listener(std::vector<worker*> workers, listener_identity identity,
             std::shared_ptr<asio::ssl::context> tls);
    ~listener();

    /// Binds (port 0: any) and starts; the failure names the address and what to do.
    result<std::uint16_t> open(const endpoint_config& where);
    void close();

private:
    void accept();
    void wait();

    std::vector<worker*> workers_;
    event_loop& loop_;
    listener_identity identity_;
    std::shared_ptr<asio::ssl::context> tls_;
    std::size_t turn_ = 0;
    int descriptor_ = -1;
    std::string unix_path_;
    std::unique_ptr<channel> events_; ///< the listening socket as a thing to wait for
    deadline pause_;
    bool closed_ = false;
};

} // namespace reauth
