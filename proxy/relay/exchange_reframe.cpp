// Phase 9 ends in a stream that we have begun: SSE goes on event by event, JSON becomes events, and whatever
// is missing becomes an error.
#include "core/answer_events.hpp"
#include "core/ascii.hpp"
#include "core/http_field.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/exchange.hpp"

namespace reauth {
namespace {

/// The answer as events, or why its coding can't be undone.
result<answer_events> events_of(const response_head& answer, bool is_stream) {
    std::string codings;
    for (const auto& f : answer)
        if (iequals(f.name, "Content-Encoding"))
            codings.append(codings.empty() ? "" : ",").append(f.value);
    auto decoder = content_decoder::create(codings);
    if (!decoder)
        return decoder.error();
    return answer_events(is_stream, std::move(*decoder));
}

} // namespace

/// Reads the answer and writes its events; true: all of it was there.
task<result<bool>> exchange::pass_events(answer_events& events) {
    const auto& answer = s_.memory->up->answer;
    body_scanner scanner(answer);
    std::string payload;
    std::string_view input = s_.memory->up->reply.view().substr(answer.size);
    for (;;) {
        payload.clear();
        if (!pass_body(scanner, input, true, payload))
            co_return false;
        auto ready = events.feed(payload);
        if (!ready)
            co_return ready.error();
        auto written = co_await stream_write(std::move(*ready));
        if (!written || s_.gone || scanner.done())
            co_return scanner.done();
        up_.look_again();
        auto r = up_.read(w_.scratch.data(), w_.scratch.size());
        while (r.is == io_result::kind::again_read || r.is == io_result::kind::again_write) {
            co_await up_.wait(r.is);
            if (s_.gone || up_.interrupted())
                co_return false;
            r = up_.read(w_.scratch.data(), w_.scratch.size());
        }
        if (r.is != io_result::kind::ok)
            co_return r.is == io_result::kind::eof&& scanner.close_is_end();
        input = {w_.scratch.data(), r.n};
    }
}

/// The stream ends with an answer for each request that has none yet.
task<exchange::outcome> exchange::end_stream(const answer_events* events, failure why) {
    if (events)
        std::erase_if(messages_.messages,
                      [&](const auto& m) { return !m.is_request() || events->answered(m.id); });
    if (events && messages_.messages.empty()) {
        static constexpr std::string_view end = "0\r\n\r\n";
        write_job job{end, {}};
        auto written = co_await write_rest(s_.client, job);
        co_return written ? outcome::relayed : outcome::client_gone;
    }
    why_ = std::move(why);
    co_await fail(why_);
    co_return s_.gone ? outcome::client_gone : outcome::relayed;
}

task<exchange::outcome> exchange::relay_into_stream() {
    const auto& answer = s_.memory->up->answer;
    const auto status = answer.status;
    const bool is_stream = iequals(answer.value(field_id::content_type).substr(0, 17), "text/event-stream");
    const bool bodiless = answer.framing == body_framing::none;
    sent_downstream_ = true;
    parse_messages();
    if (status >= 300 || bodiless) {
        finish_upstream(false);
        failure why = failure::permanent(fault::upstream_malformed,
                                         "the upstream answered with HTTP status " + std::to_string(status));
        if (class_ ==
            waiting_kind::stream) // 404 and 405 tell a GET that there is no such stream: it just ends
            why = failure::permanent(fault::upstream_unreachable,
                                     "the upstream offers no stream (" + std::to_string(status) + ")");
        co_return co_await end_stream(nullptr, std::move(why));
    }
    auto events = events_of(answer, is_stream);
    if (!events) {
        finish_upstream(false);
        co_return co_await end_stream(nullptr, events.error());
    }
    auto passed = co_await pass_events(*events);
    finish_upstream(false);
    if (s_.gone)
        co_return outcome::client_gone;
    const bool whole = passed && *passed;
    // who can ask for the rest asks for it
    if (is_stream && !whole && (class_ == waiting_kind::stream || events->resumable()))
        co_return outcome::cut;
    result<std::string> rest = std::string();
    if (passed)
        rest = events->finish(whole);
    else
        rest = passed.error();
    if (!rest)
        co_return co_await end_stream(&*events, rest.error());
    auto written = co_await stream_write(std::move(*rest));
    if (!written)
        co_return outcome::client_gone;
    if (is_stream && (events->resumable() || class_ == waiting_kind::stream))
        messages_.messages.clear();
    failure silent =
        failure::permanent(fault::upstream_malformed, "the upstream's stream ended without an answer");
    co_return co_await end_stream(&*events, std::move(silent));
}

} // namespace reauth
