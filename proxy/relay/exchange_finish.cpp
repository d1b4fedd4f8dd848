// Phase 10: the client gets an answer in MCP's shape, whatever happened.
#include "core/http_field.hpp"

#include "core/ascii.hpp"
#include "core/sse.hpp"
#include "proxy/log/log.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/exchange.hpp"
#include "proxy/relay/local_answer.hpp"

#include <utility>

namespace reauth {
/// A shallow look at the body; only a request that met trouble pays for it.
void exchange::parse_messages() {
    if (messages_parsed_)
        return;
    const auto& head = s_.memory->head;
    messages_parsed_ = body_read_ || head.method == "GET";
    if (head.method == "GET") {
        class_ = event_stream_accepted() ? waiting_kind::stream : waiting_kind::other;
        return;
    }
    if (head.method != "POST" || !body_whole_ || !body_read_)
        return;
    std::string store;
    messages_ = parse_rpc(body_payload(store));
    if (!messages_.valid)
        return;
    class_ = waiting_kind::posted;
    for (const auto& m : messages_.messages) {
        if (!m.is_request())
            continue;
        if (m.method == "initialize" || m.method == "server/discover")
            class_ = waiting_kind::handshake;
        else if (class_ == waiting_kind::posted)
            class_ = waiting_kind::call;
    }
}

bool exchange::has_request_id() const {
    return class_ == waiting_kind::call || class_ == waiting_kind::handshake;
}

rpc_error_data exchange::error_data(const failure& why) const {
    rpc_error_data data;
    data.code = why.code;
    data.upstream = where_.upstream().name;
    data.reason = reason_.empty() ? std::string(to_string(challenge_.kind)) : reason_;
    data.required_scopes = required_scopes_;
    data.approval_url = approval_link_;
    return data;
}

/// The approval's link is a capability: the log names the command in its place.
void exchange::log_outcome(const failure& why) const {
    auto message = why.describe();
    if (!approval_link_.empty()) {
        const auto open_link = "open " + approval_link_;
        if (const auto at = message.find(open_link); at != std::string::npos)
            message.replace(at, open_link.size(),
                            "run `" + cli_command(where_.settings(), "approve " + approval_id_) + "`");
    }
    log_event(log_level::warn, "request failed",
              {{"upstream", where_.upstream().name},
               {"code", std::string(to_string(why.code))},
               {"message", message}});
}

/// Answers with a failure. Returns whether the client connection can go on.
task<bool> exchange::fail(failure why) {
    if (s_.gone)
        co_return false;
    w_.counters.failures.fetch_add(1, std::memory_order_relaxed);
    if (!body_read_ && body_whole_ && !body_broken_ && !streaming_)
        co_await finish_body();
    parse_messages();
    log_outcome(why);
    bool elicits = false;
    for (const auto& m : messages_.messages)
        elicits = elicits || m.url_elicitation;
    int code = why.code == fault::approval_required && fail_at_once_ && elicits ? rpc_code_url_elicitation
                                                                                : rpc_code_reauth;
    auto data = error_data(why);
    auto answer = describe_failure(why, messages_.messages, messages_.batch, data, code);
    if (why.code == fault::session_over)
        answer.status = 404;
    if (no_stream_)
        answer.status = 405;
    if (body_broken_)
        answer.status = 400;
    if (streaming_) {
        // a stream ends with its answer, as events: an error for each request, or just the end for a GET
        std::string text = has_request_id() ? sse_from_json(answer.body) : sse_comment(why.message);
        auto written = co_await stream_write(std::move(text));
        if (!written)
            co_return false;
        static constexpr std::string_view end = "0\r\n\r\n";
        write_job job{end, {}};
        written = co_await write_rest(s_.client, job);
        client_keeps_ = client_keeps_ && written && body_read_;
    } else {
        if (sent_downstream_) {
            s_.client.reset();
            s_.gone = true;
            co_return false;
        }
        client_keeps_ = client_keeps_ && body_read_;
        auto& out = s_.memory->out;
        out.clear();
        append_answer(out, answer.status, answer.body, !client_keeps_, is_head_);
        write_job job{out, {}};
        auto written = co_await write_rest(s_.client, job);
        client_keeps_ = client_keeps_ && written;
    }
    if (s_.memory && body_read_)
        s_.memory->in.consume(std::exchange(consumed_, 0)); // once: what follows is the next request
    co_return client_keeps_;
}

} // namespace reauth
