// Servers that know nothing but HTTP+SSE (MCP 2024-11-05): one stream brings everything, and says where
// messages go.
#include "proxy/bridge/bridge.hpp"

#include "core/mcp/answer_events.hpp"
#include "core/text/ascii.hpp"
#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
/// POST is refused: perhaps the server is of before there was one (MCP 2025-11-25, transports, backwards
/// compatibility). True: it is, and the message is sent where it said.
task<bool> bridge::try_old_transport(call_ptr call) {
    http_request request;
    request.headers.push_back({"Accept", "text/event-stream"});
    auto run = link_.begin();
    call->run = run;
    auto opened = co_await link_.open(run, std::move(request));
    if (!opened || (*opened)->head().status != 200)
        co_return false;
    speaks_old_ = true;
    endpoint_.clear();
    if (stream_run_)
        stream_run_->stop();
    stream_run_ = run;
    asio::co_spawn(ex_, read_old_stream(shared_from_this(), std::move(*opened), run), asio::detached);
    while (endpoint_.empty() && stream_run_ == run && !dropped_ && call->wants_answer())
        co_await changed_.next();
    if (endpoint_.empty()) {
        speaks_old_ = false;
        co_return false;
    }
    call->run = link_.begin();
    auto post = request_for(*call);
    auto taken = co_await link_.open(call->run, std::move(post), endpoint_);
    if (taken && (*taken)->head().status < 300) {
        while (call->wants_answer() && stream_run_ == run && !dropped_)
            co_await changed_.next();
        co_return true;
    }
    lose_old_stream();
    co_return false;
}

task<void> bridge::read_old_stream(self_ptr self, std::unique_ptr<http_stream> stream,
                                   std::shared_ptr<client_run> run) {
    auto& b = *self;
    event_reader reader;
    while (!b.dropped_) {
        auto piece = co_await stream->read(no_deadline);
        if (!piece || piece->empty())
            break;
        auto events = reader.feed(*piece);
        for (auto& e : events) {
            if (e.name == "endpoint") {
                b.endpoint_ = std::string(trim_space(e.data));
                b.changed_.tell();
            } else if (!e.data.empty() && (e.name.empty() || e.name == "message")) {
                b.deliver(std::move(e.data), nullptr);
                b.changed_.tell();
            }
        }
        if (reader.held() > answer_events::largest)
            break;
        while (b.out_->full() && !b.dropped_)
            co_await b.out_->room();
    }
    if (b.stream_run_ == run)
        b.lose_old_stream();
}

/// Whoever waits hears of it; what is asked next begins another session.
void bridge::lose_old_stream() {
    if (stream_run_)
        stream_run_->stop();
    stream_run_.reset();
    endpoint_.clear();
    std::set<call_ptr> bound;
    for (const auto& [id, call] : waiting_)
        if (!call->stateless)
            bound.insert(call);
    for (const auto& call : bound)
        fail(*call, failure::passing(fault::upstream_unreachable, "the upstream's stream broke off"));
    changed_.tell();
}

} // namespace reauth
