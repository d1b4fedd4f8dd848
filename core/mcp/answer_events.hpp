// An upstream's answer that is passed on inside an event stream which was begun before it came: event streams
// event by event, JSON as events. Whatever the upstream does, only whole events come out.
#pragma once

#include "core/base/failure.hpp"
#include "core/http/content_coding.hpp"
#include "core/mcp/json_rpc.hpp"
#include "core/mcp/sse.hpp"

#include <set>
#include <string>
#include <string_view>

namespace reauth {

/// The answer to a POST, as events.
class answer_events {
public:
    /// A single event, or a JSON answer, may be this large.
    static constexpr std::size_t largest = 64u << 20;

    /// `is_stream`: the answer is text/event-stream, else JSON.
    answer_events(bool is_stream, content_decoder decoder)
        : stream_(is_stream), decoder_(std::move(decoder)) {}

    /// What can be written now. fault::upstream_malformed: nothing more can be made of it.
    result<std::string> feed(std::string_view payload);
    /// At the end; `whole`: the body did not break off. What is left to write. fault::upstream_malformed
    /// where the answer is not whole, or no JSON-RPC message.
    result<std::string> finish(bool whole);

    /// Whether a response for that id (JSON text) was given out.
    bool answered(const std::string& id) const { return answered_.contains(id); }
    /// An event had an id: the client may ask for the rest with Last-Event-ID.
    bool resumable() const noexcept { return resumable_; }

private:
    void note(const rpc_body& messages);
    bool stream_;
    content_decoder decoder_;
    event_reader reader_;
    std::string json_;
    std::set<std::string> answered_;
    bool resumable_ = false;
};

} // namespace reauth
