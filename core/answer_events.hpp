// An upstream's answer that is passed on inside an event stream which was begun before it came: event streams
// event by event, JSON as events. Whatever the upstream does, only whole events come out.
#pragma once

#include "core/content_coding.hpp"
#include "core/failure.hpp"
#include "core/json_rpc.hpp"

#include <set>
#include <string>
#include <string_view>

namespace reauth {

/// Cuts a stream of server-sent events (WHATWG HTML §9.2) into whole ones.
class event_cutter {
public:
    struct event {
        std::string text; ///< as it came, with the empty line that ends it
        std::string data; ///< its data lines, joined by LF
        bool has_id = false;
    };
    /// The events that `piece` makes whole, comments among them.
    std::vector<event> feed(std::string_view piece);
    /// Bytes of an event that is not whole yet.
    std::size_t held() const noexcept { return held_.size(); }

private:
    void take_line(std::string_view line, event& now);
    std::string held_; ///< since the last empty line
    std::size_t line_ = 0,
                scanned_ = 0; ///< within held_: where the line under way begins, and what was looked at
    event now_;
};

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
    event_cutter cutter_;
    std::string json_;
    std::set<std::string> answered_;
    bool resumable_ = false;
};

} // namespace reauth
