// Phase 10: the client gets an answer in MCP's shape, whatever happened.
#include "proxy/relay/exchange.hpp"

#include "core/http/trace_context.hpp"
#include "core/mcp/sse.hpp"
#include "proxy/log/log.hpp"
#include "proxy/relay/local_answer.hpp"

namespace reauth {

rpc_error_data exchange::error_data(const failure& why) const {
    rpc_error_data data;
    data.code = why.code;
    data.upstream = where_.upstream().name;
    data.reason = news_.reason.empty() ? std::string(to_string(heard_.challenge.kind)) : news_.reason;
    data.required_scopes = news_.required_scopes;
    data.approval_url = news_.approval_link;
    data.retry_after = why.retry_after;
    data.recovery = news_.recovery;
    return data;
}

/// The approval's link is a capability: the log names the command in its place.
void exchange::log_outcome(const failure& why) const {
    const auto trace = traceparent_of(head());
    const log_scope about({news_.recovery, trace});
    auto message = why.describe();
    if (!news_.approval_link.empty()) {
        const auto open_link = "open " + news_.approval_link;
        if (const auto at = message.find(open_link); at != std::string::npos)
            message.replace(at, open_link.size(),
                            "run `" + cli_command(where_.settings(), "approve " + news_.approval_id) + "`");
    }
    log_event(log_level::warn, "request failed",
              {{"upstream", where_.upstream().name},
               {"code", std::string(to_string(why.code))},
               {"message", message}});
}

/// The failure as the client's kind of request wants it: events where a stream is under way, else a whole
/// HTTP answer.
std::string exchange::error_answer(const failure& why) {
    const bool elicitation = why.code == fault::approval_required && news_.fail_at_once && message_.elicits();
    auto answer = describe_failure(why, message_.messages(), message_.batch(), error_data(why),
                                   elicitation ? rpc_code_url_elicitation : rpc_code_reauth);
    if (answer_.streaming())
        return message_.has_request() ? sse_from_json(answer.body) : sse_comment(why.message);
    if (why.code == fault::session_over)
        answer.status = 404;
    if (no_stream_)
        answer.status = 405;
    if (body_.broken())
        answer.status = 400;
    std::string out;
    append_answer(out, answer.status, answer.body, !answer_.keeps(), is_head_, why.retry_after);
    tell_recovery(out);
    return out;
}

/// Answers with a failure. Returns whether the client connection can go on.
loop_task<bool> exchange::fail(failure why) {
    if (down_.gone())
        co_return false;
    failed_ = why.code;
    if (!body_.read() && body_.whole() && !body_.broken() && !answer_.streaming())
        (void)co_await upload_.finish(); // so that its id is known
    read_message();
    log_outcome(why);
    if (!answer_.streaming() && answer_.begun()) {
        down_.client().reset();
        down_.lose();
        co_return false;
    }
    answer_.keep_only_if(body_.ended_well());
    auto text = error_answer(why);
    bool written = false;
    if (answer_.streaming()) {
        // a stream ends with its answer: an error for each request, or just the end for a GET
        written = co_await answer_.write_events(std::move(text));
        if (written)
            written = co_await answer_.end_stream();
    } else {
        written = co_await answer_.write(text);
    }
    if (down_.memory() && body_.read())
        body_.release();
    co_return written&& answer_.keeps();
}

} // namespace reauth
