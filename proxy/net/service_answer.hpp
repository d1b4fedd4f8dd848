// A handler's view of one request of http_service: what was asked, and the one answer to it.
#pragma once

#include "proxy/net/http_service.hpp"

namespace reauth {

/// The connection below, as far as an answer needs it.
class service_peer {
public:
    /// false: the connection is broken, nothing can be sent any more.
    virtual task<bool> send(std::string bytes) = 0;
    /// Cuts the connection, so that the peer does not take what it got for the whole.
    virtual void reset() = 0;
    /// Broken, or the peer has ended its side: a one-shot answer may still arrive, a stream is not worth its
    /// writes.
    virtual bool peer_closed() const = 0;
    virtual void on_close(std::function<void()> wake) = 0;
    virtual ~service_peer() = default;
};

class answered_request final : public service_exchange {
public:
    /// `old_version`: HTTP/1.0; `keep_alive`: what the request allows.
    answered_request(service_peer& peer, service_request request, bool old_version, bool keep_alive);

    const service_request& request() const override { return request_; }
    task<void> respond(service_response response) override;
    task<void> begin_stream(service_response response) override;
    task<bool> write(std::string bytes) override;
    void abort() override;
    bool peer_gone() const override { return peer_.peer_closed(); }
    void on_peer_gone(std::function<void()> wake) override { peer_.on_close(std::move(wake)); }

    bool answered() const { return answered_; }
    bool streaming() const { return streaming_; }
    bool keep_alive() const { return keep_alive_ && !aborted_; }
    /// The last chunk is still to be sent (RFC 9112 §7.1).
    bool must_end_chunks() const { return streaming_ && !old_version_ && !head_only_; }

private:
    void begin();
    std::string head(service_response& response);
    std::string frame(const std::string& bytes) const;

    service_peer& peer_;
    service_request request_;
    bool old_version_;
    bool keep_alive_, head_only_;
    bool answered_ = false, streaming_ = false, aborted_ = false;
};

} // namespace reauth
