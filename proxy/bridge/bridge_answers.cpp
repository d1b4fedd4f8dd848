// The upstream's side: answers whole and in events, what is missing of them, and what becomes of a refusal.
#include "proxy/bridge/bridge.hpp"

#include "core/json/json_reader.hpp"
#include "core/mcp/answer_events.hpp"
#include "core/text/display_text.hpp"
#include "proxy/log/log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace reauth {
namespace {

using std::chrono::milliseconds;
constexpr unsigned tries_for_the_rest = 5;
constexpr std::size_t largest_refusal = 64 * 1024;

} // namespace

/// A message for the client. What was answered already is not answered again.
void bridge::deliver(std::string text, const call_ptr& call) {
    const auto body = parse_rpc(text);
    if (!body.valid || body.messages.empty()) {
        log_event(log_level::warn, "message dropped",
                  {{"upstream", upstream_}, {"message", "the upstream sent what is no JSON-RPC message"}});
        return;
    }
    bool news = false, lists_tools = false;
    for (const auto& m : body.messages) {
        if (!m.is_response() || m.id.empty()) {
            news = true;
            continue;
        }
        const auto asked = waiting_.find(m.id);
        if (asked == waiting_.end())
            continue;
        const auto by = asked->second;
        news = news || !by->quiet;
        lists_tools = lists_tools || (by->stateless && by->first.method == "tools/list");
        by->unanswered.erase(m.id);
        waiting_.erase(asked);
        if (by->handshake)
            learn_version(text);
    }
    if (!news) {
        log_event(log_level::debug, "answer dropped",
                  {{"upstream", upstream_}, {"message", "nobody waits for it"}});
        return;
    }
    lost_in_vain_ = 0; // it talks
    if (lists_tools)
        text = tools_.learn(std::move(text));
    hear(std::move(text));
    if (call && !call->wants_answer())
        changed_.tell();
}

/// One answer for each that is missing; then nobody waits any more.
void bridge::answer_all(client_call& call, const std::function<std::string(const std::string& id)>& text) {
    const auto ids = call.quiet ? std::set<std::string>() : call.unanswered;
    end_call(call);
    for (const auto& id : ids)
        hear(text(id));
}

void bridge::fail(client_call& call, const failure& why) {
    rpc_error_data data;
    data.code = why.code;
    data.upstream = upstream_;
    call.failed = why;
    answer_all(call, [&](const std::string& id) {
        return make_rpc_error(id, rpc_code_reauth, as_sentence(why.describe()), data);
    });
}

/// A status that is no success: the JSON-RPC error in its body if there is one, else the status.
void bridge::refuse(client_call& call, unsigned status, const std::string& body) {
    const auto parsed = read_message_json<nlohmann::ordered_json>(body).value_or(nlohmann::ordered_json());
    const auto error =
        parsed.is_object() && parsed.contains("error") ? parsed["error"] : nlohmann::ordered_json();
    auto why = failure::permanent(fault::upstream_malformed,
                                  "the upstream answered with HTTP status " + std::to_string(status));
    if (!error.is_object() || !error.contains("code") || !error["code"].is_number_integer()) {
        fail(call, why);
        return;
    }
    call.failed = std::move(why);
    const auto text = json_text(error);
    answer_all(call, [&](const std::string& id) {
        return R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":)" + text + "}";
    });
}

task<void> bridge::read_answer(call_ptr call, std::unique_ptr<http_stream> answer) {
    const auto status = answer->head().status;
    const bool good = status >= 200 && status < 300;
    if (good && is_event_stream(answer->head())) {
        auto following = follow(call, std::move(answer));
        co_await std::move(following);
        co_return;
    }
    const auto most = good ? answer_events::largest : largest_refusal;
    auto body = co_await read_whole(*answer, most);
    link_.give_back(std::move(answer));
    if (!good) {
        refuse(*call, status, body ? *body : std::string());
        co_return;
    }
    if (!body) {
        fail(*call, body.error());
        co_return;
    }
    if (!body->empty())
        deliver(std::move(*body), call);
    while (out_->full() && !dropped_)
        co_await out_->room();
    if (!call->wants_answer() || (!endpoint_.empty() && !call->stateless))
        co_return; // it is here, or a stream brings it
    fail(*call, failure::permanent(fault::upstream_malformed,
                                   "the upstream's answer holds no answer to this request"));
}

/// An answer in events. Where it breaks off, the rest is asked for if the server has numbered its events (MCP
/// 2025-11-25, "Resumability and Redelivery").
task<void> bridge::follow(call_ptr call, std::unique_ptr<http_stream> answer) {
    reading_point at;
    for (unsigned failures = 0; call->wants_answer() && !dropped_;) {
        if (answer) {
            at.moved = false;
            ++at.in_vain;
            const auto end = co_await pump(*answer, call, at);
            link_.give_back(std::exchange(answer, nullptr));
            if (!call->wants_answer() || dropped_)
                co_return;
            if (at.last_id.empty() || call->stateless) {
                fail(*call, end ? failure::permanent(fault::upstream_malformed,
                                                     "the upstream's stream ended without an answer")
                                : end.error());
                co_return;
            }
            failures = at.moved ? 0 : failures + 1;
        }
        if (failures > tries_for_the_rest) {
            fail(*call, failure::passing(fault::upstream_unreachable,
                                         "the upstream's stream broke off, and its rest can't be had"));
            co_return;
        }
        loop_timer pause(ex_, at.pause(failures));
        error_code cut;
        co_await pause.async_wait(asio::redirect_error(use_task, cut));
        auto request = session_request("GET");
        request.headers.push_back({"Accept", "text/event-stream"});
        request.headers.push_back({"Last-Event-ID", at.last_id});
        call->run = link_.begin();
        auto more = co_await link_.open(call->run, std::move(request));
        const auto status = more ? (*more)->head().status : 503u;
        if (status >= 200 && status < 300 && is_event_stream((*more)->head())) {
            answer = std::move(*more);
        } else if (may_work_later(status)) {
            ++failures;
        } else {
            fail(*call, failure::permanent(
                            fault::upstream_unreachable,
                            "the upstream's stream broke off, and its rest is refused with HTTP status " +
                                std::to_string(status)));
            co_return;
        }
    }
}

/// Messages of a stream, until it ends, the call is answered, or nobody wants them any more.
task<result<void>> bridge::pump(http_stream& stream, call_ptr call, reading_point& at) {
    auto decoder = content_decoder::create(content_codings(stream.head().headers));
    if (!decoder)
        co_return decoder.error();
    event_reader reader;
    while (!dropped_) {
        auto piece = co_await stream.read(no_deadline);
        if (!piece)
            co_return piece.error();
        if (piece->empty())
            break;
        std::string plain;
        auto fed = decoder->feed(*piece, plain, answer_events::largest);
        if (!fed)
            co_return fed.error();
        auto events = reader.feed(plain);
        for (auto& e : events) {
            if (e.id) {
                at.last_id = *e.id;
                at.moved = true;
            }
            if (e.retry)
                at.retry = e.retry;
            if (!e.data.empty() && (e.name.empty() || e.name == "message")) {
                at.moved = true;
                at.in_vain = 0;
                deliver(std::move(e.data), call);
            }
        }
        if (reader.held() > answer_events::largest)
            co_return failure::permanent(fault::upstream_malformed,
                                         "an event of the upstream is larger than 64 MiB");
        while (out_->full() && !dropped_)
            co_await out_->room();
        if (call && call->unanswered.empty() && call->withdrawn)
            break;
    }
    co_return result<void>();
}

} // namespace reauth
