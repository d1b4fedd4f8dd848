// One client connection: reads heads, admits and routes requests, answers what needs no upstream; the rest is
// an exchange.
#pragma once

#include "proxy/net/channel.hpp"
#include "proxy/net/deadline.hpp"
#include "proxy/net/wakeup.hpp"
#include "proxy/relay/admission.hpp"
#include "proxy/relay/request_buffers.hpp"
#include "proxy/relay/worker.hpp"

namespace reauth {

class exchange;

/// Lives on one worker; owned by its coroutine.
class session : public std::enable_shared_from_this<session> {
public:
    session(worker& w, channel client, SSL_CTX* tls, const listener_identity& listener, std::string peer);
    ~session();

    /// Serves requests until the connection ends.
    task<void> run(std::shared_ptr<session> self);
    /// End as soon as the request in progress is answered (who only listens to a stream is not waited for);
    /// `force`: at once.
    void stop(bool force);

    worker& home;
    channel client;
    const listener_identity& listener;
    const std::string peer;                  ///< its address without the port; of a Unix socket: its process
    std::unique_ptr<request_buffers> memory; ///< null while nothing is in progress
    wakeup waker;                            ///< for whatever the exchange waits for besides I/O
    bool gone = false;                       ///< the client closed, or we were told to cut
    exchange* current = nullptr;
    unsigned crowded = 0; ///< connections of its peer when it came, itself included

    request_buffers& need_memory() {
        if (!memory)
            memory = home.buffers.take();
        return *memory;
    }
    /// From now on a closed connection is noticed while the exchange is busy elsewhere; early bytes of the
    /// next request are kept.
    void watch_client();
    void unwatch_client() { client.unwatch(); }
    void mark_gone();

private:
    friend class worker;
    enum class next { request, end };
    task<bool> handshake();
    task<next> read_head(head_outcome& outcome);
    task<bool> serve();
    task<void> refuse(unsigned status, std::string_view message, bool close);
    task<void> linger();
    static void on_readable(void* self);
    static void on_deadline(void* self);
    /// While the rest of a head is waited for, its beginning is kept in no more memory than it needs.
    void put_by();
    void take_back();

    std::unique_ptr<char[]> half_; ///< the beginning of a head
    std::uint32_t half_size_ = 0;
    SSL_CTX* tls_;
    deadline deadline_;
    bool timed_out_ = false, stopping_ = false;
    session *previous_ = nullptr, *next_ = nullptr;
};

} // namespace reauth
