// Sessions with the upstream: begun by the client's `initialize`, begun again by the same where the upstream
// has lost it, ended with the program; and the stream of what belongs to no request.
#include "proxy/bridge/bridge.hpp"

#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <nlohmann/json.hpp>

namespace reauth {
namespace {
/// For the server to be told that the session is over.
constexpr std::chrono::milliseconds patience_at_the_end{500};
} // namespace

http_request bridge::session_request(std::string method) const {
    http_request r;
    r.method = std::move(method);
    if (!session_.id.empty())
        r.headers.push_back({"Mcp-Session-Id", session_.id});
    if (!session_.version.empty())
        r.headers.push_back({"MCP-Protocol-Version", session_.version});
    return r;
}

http_request bridge::request_for(const client_call& call) const {
    auto r = call.stateless || call.handshake ? http_request{} : session_request("POST");
    r.method = "POST";
    r.headers.push_back({"Content-Type", "application/json"});
    r.headers.push_back({"Accept", "application/json, text/event-stream"});
    r.body = secret(call.line);
    if (!call.stateless)
        return r;
    for (auto& field : mcp_request_fields(call.first))
        r.headers.push_back(std::move(field));
    if (call.first.method == "tools/call")
        for (auto& field : tools_.fields(call.first.tool, call.line))
            r.headers.push_back(std::move(field));
    return r;
}

void bridge::learn_session(const http_response& head) {
    session_.id = head.header("mcp-session-id").value_or("");
}

/// From the answer to `initialize` (MCP 2025-11-25, "Protocol Version Header").
void bridge::learn_version(const std::string& answer) {
    const auto parsed = read_message_json(answer).value_or(nlohmann::json());
    const auto* message = parsed.is_array() && !parsed.empty() ? &parsed.front() : &parsed;
    if (!message->is_object() || !message->contains("result"))
        return;
    session_.version = json_string((*message)["result"], "protocolVersion");
    session_.open = true;
}

/// Waits, but not beyond the end. False: it is over.
task<bool> bridge::rest(std::chrono::milliseconds pause) {
    if (ending_) // nobody would wake it
        co_return false;
    error_code cut;
    pause_.expires_after(pause);
    co_await pause_.async_wait(asio::redirect_error(use_task, cut));
    co_return !ending_;
}

/// The upstream knows session number `lost` no more: one new session for everybody who noticed.
task<result<void>> bridge::renew(std::uint64_t lost) {
    while (renewing_)
        co_await changed_.next();
    if (session_.epoch != lost || dropped_)
        co_return not_renewed_ ? result<void>(*not_renewed_) : result<void>();
    if (initialize_.empty())
        co_return failure::permanent(fault::session_over, "the upstream has ended the session");
    renewing_ = true;
    auto begun = co_await begin_again();
    renewing_ = false;
    not_renewed_ = begun ? std::optional<failure>() : begun.error();
    log_event(
        begun ? log_level::info : log_level::warn, "session begun again",
        {{"upstream", upstream_}, {"message", begun ? "the last one was lost" : begun.error().describe()}});
    changed_.tell();
    co_return begun;
}

task<result<void>> bridge::begin_again() {
    const bool listened = session_.listens;
    session_ = upstream_session{{}, {}, session_.epoch + 1};
    if (stream_run_)
        stream_run_->stop();
    auto opening = std::make_shared<client_call>();
    opening->line = initialize_;
    opening->handshake = opening->quiet = true;
    const auto said = parse_rpc(initialize_);
    for (const auto& m : said.messages)
        if (m.is_request() && opening->unanswered.insert(m.id).second)
            waiting_[m.id] = opening;
    const auto begun = co_await open_session(opening);
    end_call(*opening);
    if (!begun || initialized_.empty())
        co_return begun;
    client_call notice;
    notice.line = initialized_;
    auto request = request_for(notice);
    auto taken = co_await link_.open(link_.begin(), std::move(request), endpoint_);
    if (!taken)
        co_return taken.error();
    link_.give_back(std::move(*taken));
    const auto wishes = wishes_;
    for (const auto& [what, line] : wishes) {
        auto said = say_again(line);
        co_await std::move(said);
    }
    if (listened && !ending_) {
        session_.listens = true;
        asio::co_spawn(ex_, listen(shared_from_this(), session_.epoch), asio::detached);
        co_await await_stream();
    }
    co_return result<void>();
}

/// What a session remembers of its client (MCP 2025-11-25, resources and logging).
void bridge::keep_wish(const rpc_message& request, const std::string& line) {
    if (request.method == "resources/subscribe")
        wishes_["resource " + request.tool] = line;
    else if (request.method == "resources/unsubscribe")
        wishes_.erase("resource " + request.tool);
    else if (request.method == "logging/setLevel")
        wishes_["level"] = line;
}

/// A request of the client, to which it has had its answer, for another session.
task<void> bridge::say_again(std::string line) {
    auto call = std::make_shared<client_call>();
    call->quiet = true;
    const auto said = parse_rpc(line);
    call->line = std::move(line);
    for (const auto& m : said.messages)
        if (m.is_request() && !waiting_.contains(m.id) && call->unanswered.insert(m.id).second)
            waiting_[m.id] = call;
    if (call->unanswered.empty())
        co_return; // it is just being said
    auto request = request_for(*call);
    call->run = link_.begin();
    auto answer = co_await link_.open(call->run, std::move(request), endpoint_);
    if (answer) {
        auto rest_of_it = read_answer(call, std::move(*answer));
        co_await std::move(rest_of_it);
    }
    if (endpoint_.empty())
        end_call(*call);
}

task<result<void>> bridge::open_session(call_ptr opening) {
    if (speaks_old_) {
        [[maybe_unused]] const bool old = co_await try_old_transport(opening);
    } else {
        auto request = request_for(*opening);
        opening->run = link_.begin();
        auto answer = co_await link_.open(opening->run, std::move(request));
        if (!answer)
            co_return answer.error();
        learn_session((*answer)->head());
        auto rest_of_it = read_answer(opening, std::move(*answer));
        co_await std::move(rest_of_it);
    }
    if (session_.open)
        co_return result<void>();
    co_return failure::permanent(
        fault::session_over,
        "the upstream has lost the session, and begins no other: " +
            (opening->failed ? opening->failed->message : "it answered initialize with an error"));
}

/// The stream of the session (MCP 2025-11-25, "Listening for Messages from the Server"), opened again
/// whenever it ends, as far as the server offers one.
task<void> bridge::listen(self_ptr self, std::uint64_t epoch) {
    auto& b = *self;
    const auto current = [&] { return !b.ending_ && b.session_.epoch == epoch; };
    reading_point at;
    bool had = false;
    for (unsigned failures = 0; current();) {
        auto request = b.session_request("GET");
        request.headers.push_back({"Accept", "text/event-stream"});
        if (!at.last_id.empty())
            request.headers.push_back({"Last-Event-ID", at.last_id});
        auto run = b.link_.begin();
        b.stream_run_ = run;
        auto stream = co_await b.link_.open(run, std::move(request));
        if (!current())
            co_return;
        b.session_.heard = true;
        b.changed_.tell();
        const auto status = stream ? (*stream)->head().status : 503u;
        if (status == 200 && is_event_stream((*stream)->head())) {
            had = true;
            at.moved = false;
            ++at.in_vain;
            log_event(log_level::debug, "stream open", {{"upstream", b.upstream_}});
            const auto end = co_await b.pump(**stream, nullptr, at);
            stream->reset();
            failures = at.moved ? 0 : failures + 1;
        } else if (status == 404 && had && !b.session_.id.empty()) {
            // one that loses each session at once is not asked for another at once for ever
            if (b.lost_in_vain_ > 0) {
                const bool going_on = co_await b.rest(reading_point().pause(b.lost_in_vain_));
                if (!going_on || !current())
                    co_return;
            }
            ++b.lost_in_vain_;
            const auto renewed = co_await b.renew(epoch);
            co_return; // the new session has a stream of its own
        } else if (!may_work_later(status)) {
            if (status != 405)
                log_event(log_level::info, "no stream",
                          {{"upstream", b.upstream_}, {"message", "HTTP status " + std::to_string(status)}});
            co_return;
        } else {
            ++failures;
        }
        const bool going_on = co_await b.rest(at.pause(failures));
        if (!going_on)
            co_return;
    }
}

task<void> bridge::finish(std::chrono::steady_clock::time_point until) {
    ending_ = true;
    loop_timer alarm(ex_, until);
    auto late = std::make_shared<bool>(false);
    auto self = shared_from_this();
    alarm.async_wait([self, late](error_code cancelled) {
        if (cancelled)
            return;
        *late = true;
        self->changed_.tell();
    });
    const auto under_way = [this] {
        if (posting_ || blocked_ || renewing_)
            return true;
        for (const auto& [id, call] : waiting_)
            if (call->first.method != "subscriptions/listen")
                return true;
        return false;
    };
    while (under_way() && !*late && !dropped_)
        co_await changed_.next();
    alarm.cancel();
    if (stream_run_)
        stream_run_->stop();
    pause_.cancel();
    if (!session_.id.empty() && !dropped_) {
        auto request = session_request("DELETE");
        auto run = link_.begin();
        loop_timer patience(ex_, patience_at_the_end);
        patience.async_wait([run](error_code cancelled) {
            if (!cancelled)
                run->stop();
        });
        auto ended = co_await link_.open(run, std::move(request));
        patience.cancel();
    }
    drop_everything();
}

/// Some servers say otherwise than by 404 that a session is over: 400 "No valid session ID", a bare 403, 410.
bool bridge::may_mean_lost(unsigned status) const {
    return session_.worked && (status == 400 || status == 403 || status == 410);
}

/// One new session for it, and the request once more. What says the same then means something else, and is
/// not taken for that again.
task<bool> bridge::refused_in_session(call_ptr call, std::uint64_t epoch, unsigned status, std::string body) {
    const auto said = std::to_string(status) + " " + body.substr(0, 512);
    if (call->replayed && call->refused_with == said)
        no_loss_.insert(said);
    if (call->replayed || no_loss_.contains(said)) {
        refuse(*call, status, body);
        co_return false;
    }
    call->replayed = true;
    call->refused_with = said;
    const auto renewed = co_await renew(epoch);
    if (!renewed)
        fail(*call, renewed.error());
    co_return renewed.has_value();
}

} // namespace reauth
