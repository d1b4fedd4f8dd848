// Phase 9 ends in a stream that we have begun: SSE goes on event by event, JSON becomes events, and whatever
// is missing becomes an error.
#include "proxy/relay/exchange.hpp"

namespace reauth {
namespace {

/// The answer as events, or why its coding can't be undone.
result<answer_events> events_of(const response_head& answer, bool is_stream) {
    auto decoder = content_decoder::create(content_codings(answer));
    if (!decoder)
        return decoder.error();
    return answer_events(is_stream, std::move(*decoder));
}

/// Whole events only, each run of them as one chunk of our stream.
class event_filter final : public body_filter {
public:
    event_filter(answer_events& events, std::optional<endpoint_rewriter> endpoints)
        : events_(events), endpoints_(std::move(endpoints)) {}
    result<std::string_view> pass(std::string_view payload) override {
        auto ready = endpoints_ ? events_.feed(endpoints_->feed(payload)) : events_.feed(payload);
        if (!ready)
            return ready.error();
        framed_ = in_chunk(*ready);
        return std::string_view(framed_);
    }

private:
    answer_events& events_;
    std::optional<endpoint_rewriter> endpoints_;
    std::string framed_;
};

} // namespace

/// The stream ends with an answer for each request that has none yet.
loop_task<result<exchange::outcome>> exchange::end_stream(const answer_events* events, failure why) {
    if (events)
        message_.forget_answered([&](const std::string& id) { return events->answered(id); });
    if (!events || !message_.messages().empty()) // answered by fail(), in the stream
        co_return why;
    const bool written = co_await answer_.end_stream();
    co_return written ? outcome::answered : outcome::client_gone;
}

loop_task<result<exchange::outcome>> exchange::relay_into_stream() {
    const auto& answer = down_.memory()->up->answer;
    const bool is_stream = is_event_stream(answer.value(field_id::content_type));
    answer_.begin();
    read_message();
    const bool listens = message_.kind() == waiting_kind::stream;
    if (answer.status >= 300 || answer.framing == body_framing::none) {
        const auto status = std::to_string(answer.status);
        // 404 and 405 tell a GET that there is no such stream: it just ends
        if (listens)
            co_return failure::permanent(fault::upstream_unreachable,
                                         "the upstream offers no stream (" + status + ")");
        co_return failure::permanent(fault::upstream_malformed,
                                     "the upstream answered with HTTP status " + status);
    }
    auto events = events_of(answer, is_stream);
    if (!events)
        co_return events.error();
    std::optional<endpoint_rewriter> endpoints;
    if (tells_endpoint())
        endpoints.emplace(old_stream());
    event_filter filter(*events, std::move(endpoints));
    body_pump pump(up_.connection(), answer, first_bytes(), w_.scratch, down_.gone_flag());
    pump.to(down_.client());
    pump.through(filter);
    const auto end = co_await pump.run();
    up_.close();
    if (down_.gone())
        co_return outcome::client_gone;
    const bool whole = end == pump_end::whole;
    // who can ask for the rest asks for it
    if (is_stream && !whole && (listens || events->resumable()))
        co_return outcome::cut;
    if (end == pump_end::refused)
        co_return co_await end_stream(&*events, pump.why());
    auto rest = events->finish(whole);
    if (!rest)
        co_return co_await end_stream(&*events, rest.error());
    const bool written = co_await answer_.write_events(std::move(*rest));
    if (!written)
        co_return outcome::client_gone;
    if (is_stream && (events->resumable() || listens))
        message_.forget_all();
    auto silent =
        failure::permanent(fault::upstream_malformed, "the upstream's stream ended without an answer");
    co_return co_await end_stream(&*events, std::move(silent));
}

} // namespace reauth
