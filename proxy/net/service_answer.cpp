// The answer to one request of http_service: whole, or chunk by chunk.
#include "proxy/net/service_answer.hpp"

#include "core/text/ascii.hpp"
#include "proxy/net/service_head.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

namespace reauth {
namespace {

std::string chunk(const std::string& bytes) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    return size.data() + bytes + "\r\n";
}

bool may_have_body(unsigned status) {
    return status >= 200 && status != 204 && status != 304;
}

} // namespace

answered_request::answered_request(service_peer& peer, service_request request, bool old_version,
                                   bool keep_alive)
    : peer_(peer), request_(std::move(request)), old_version_(old_version), keep_alive_(keep_alive),
      head_only_(request_.method == "HEAD") {}

task<void> answered_request::respond(service_response response) {
    begin();
    if (may_have_body(response.status))
        response.headers.push_back({"Content-Length", std::to_string(response.body.size())});
    auto bytes = head(response);
    if (!head_only_ && may_have_body(response.status))
        bytes += response.body;
    co_await peer_.send(std::move(bytes));
}

task<void> answered_request::begin_stream(service_response response) {
    begin();
    streaming_ = true;
    if (!old_version_)
        response.headers.push_back({"Transfer-Encoding", "chunked"});
    else
        keep_alive_ = false; // HTTP/1.0: the end of the connection ends the answer
    auto bytes = head(response);
    if (!head_only_ && !response.body.empty())
        bytes += frame(response.body);
    co_await peer_.send(std::move(bytes));
}

task<bool> answered_request::write(std::string bytes) {
    if (!streaming_)
        throw std::logic_error("write() before begin_stream()");
    // An empty chunk would end the answer.
    if (bytes.empty() || head_only_ || peer_.peer_closed())
        co_return !peer_.peer_closed();
    auto framed = frame(bytes);
    co_return co_await peer_.send(std::move(framed));
}

void answered_request::abort() {
    aborted_ = true;
    peer_.reset();
}

void answered_request::begin() {
    if (std::exchange(answered_, true))
        throw std::logic_error("a request is answered once");
}

std::string answered_request::head(service_response& response) {
    for (const auto& h : response.headers)
        if (iequals(h.name, "connection") && iequals(h.value, "close"))
            keep_alive_ = false;
    if (!keep_alive_ || old_version_) {
        std::erase_if(response.headers, [](const auto& h) { return iequals(h.name, "connection"); });
        response.headers.push_back({"Connection", keep_alive_ ? "keep-alive" : "close"});
    }
    try {
        return format_response_head(response.status, response.headers);
    } catch (...) {
        answered_ = streaming_ = false; // nothing was sent: a 500 still can be
        throw;
    }
}

std::string answered_request::frame(const std::string& bytes) const {
    return !old_version_ ? chunk(bytes) : bytes;
}

} // namespace reauth
