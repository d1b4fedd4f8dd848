// The client's side: which line may go when, and who waits for what.
#include "proxy/bridge/bridge.hpp"

#include "core/json/json_mend.hpp"
#include "core/json/json_reader.hpp"
#include "core/mcp/message_lines.hpp"
#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

/// Beyond so many the next request waits for one of them to end.
constexpr std::size_t requests_at_once = 256;
constexpr std::size_t session_refusal = 64 * 1024;
constexpr int parse_error = -32700, invalid_request = -32600;

std::string protocol_error(int code, std::string_view id, const std::string& message) {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id.empty() ? "null" : id) + R"(,"error":{"code":)" +
           std::to_string(code) + R"(,"message":")" + message + "\"}}";
}

void call_if(const std::function<void()>& f) {
    if (f)
        f();
}

} // namespace

bridge::bridge(executor ex, std::string upstream, upstream_link link, std::shared_ptr<line_output> out,
               bridge_options options)
    : ex_(ex), upstream_(std::move(upstream)), link_(std::move(link)), out_(std::move(out)),
      transport_(options.transport), changed_(ex), pause_(ex) {
    if (options.eras)
        era_.emplace(upstream_);
    if (!options.ignored_tools.empty())
        filter_.emplace(std::move(options.ignored_tools));
}

void bridge::pass(std::string_view message) {
    if (dropped_)
        return;
    if (filter_)
        out_->write(filter_->for_client(std::string(message)));
    else
        out_->write(message);
}

void bridge::refuse_long_line(const std::string& id) {
    pass(protocol_error(invalid_request, id,
                        "a message may be 16 MiB long at most; this one was longer, and is dropped"));
}

void bridge::take(std::string line, std::function<void()> done) {
    held_line now{on_one_line(std::move(line)), std::move(done)};
    if (const auto refused = filter_ ? filter_->from_client(now.text) : std::nullopt) {
        for (const auto& answer : *refused)
            pass(answer);
        call_if(now.done);
        return;
    }
    if (blocked_)
        held_.push_back(std::move(now));
    else
        admit(std::move(now));
}

void bridge::admit(held_line line) {
    if (!era_) {
        look_at(std::move(line));
        return;
    }
    auto what = era_->from_client(line.text);
    blocked_ = era_->probing();
    apply(std::move(what), std::move(line.done));
}

void bridge::apply(era_outcome what, std::function<void()> done) {
    for (const auto& message : what.to_client)
        pass(on_one_line(message));
    if (what.to_server.empty())
        call_if(done);
    for (std::size_t i = 0; i < what.to_server.size(); ++i)
        look_at({std::move(what.to_server[i]), i + 1 == what.to_server.size() ? done : nullptr});
    if (what.listen_again && !ending_)
        asio::co_spawn(ex_, listen_again(shared_from_this()), asio::detached);
}

/// From the upstream, for the client.
void bridge::hear(std::string message) {
    if (!era_) {
        pass(on_one_line(std::move(message)));
        return;
    }
    const bool probed = era_->probing();
    auto what = era_->from_server(message);
    if (!what.to_client.empty())
        listened_in_vain_ = 0; // it talks
    apply(std::move(what), nullptr);
    const auto shakes_hands = [](const auto& entry) { return entry.second->handshake; };
    if (probed && !era_->probing() && std::none_of(waiting_.begin(), waiting_.end(), shakes_hands))
        release();
}

/// The stream of changes has ended: another one, after a while that grows.
task<void> bridge::listen_again(self_ptr self) {
    auto& b = *self;
    const bool going_on = co_await b.rest(reading_point().pause(b.listened_in_vain_++));
    auto request = going_on && b.era_ ? b.era_->listen() : std::nullopt;
    if (request)
        b.look_at({std::move(*request), nullptr});
}

/// The handshake is over, or has come a step further: what came meanwhile may go.
void bridge::release() {
    blocked_ = false;
    while (!blocked_ && !held_.empty()) {
        auto next = std::move(held_.front());
        held_.pop_front();
        admit(std::move(next));
    }
    changed_.tell();
}

void bridge::look_at(held_line line) {
    auto body = parse_rpc(line.text);
    const auto says_nothing = [](const rpc_message& m) { return m.method.empty() && m.id.empty(); };
    if (!body.valid || body.messages.empty() ||
        std::any_of(body.messages.begin(), body.messages.end(), says_nothing)) {
        const bool json = body.valid || is_json(line.text);
        const auto id = id_in_broken(line.text);
        pass(json ? protocol_error(invalid_request, id,
                                   "this is no JSON-RPC message: an object with a method, or a response")
                  : protocol_error(parse_error, id, "this line is not JSON: a message is one line of JSON"));
        call_if(line.done);
        return;
    }
    const auto& all = body.messages;
    const bool asks = std::any_of(all.begin(), all.end(), [](const auto& m) { return m.is_request(); });
    if (asks)
        begin_call(std::move(body), std::move(line));
    else if (all.size() == 1 && !all.front().cancelled_id.empty() && withdraw(all.front()))
        call_if(line.done);
    else
        post_later(std::move(line), all.size() == 1 && all.front().method == "notifications/initialized");
}

void bridge::begin_call(rpc_body messages, held_line line) {
    auto call = std::make_shared<client_call>();
    for (const auto& m : messages.messages) {
        if (!m.is_request())
            continue;
        if (waiting_.contains(m.id) || !call->unanswered.insert(m.id).second) {
            pass(protocol_error(invalid_request, m.id, "a request with this id is under way already"));
            call_if(line.done);
            return;
        }
        if (call->first.method.empty())
            call->first = m;
        call->handshake = call->handshake || m.method == "initialize";
    }
    call->stateless = !messages.batch && !call->first.protocol_version.empty();
    if (call->stateless)
        was_stateless_ = true;
    if (call->handshake) {
        // another session: nothing of the last one holds any more
        session_ = upstream_session{{}, {}, session_.epoch + 1};
        if (stream_run_)
            stream_run_->stop();
        pause_.cancel();
        initialize_ = line.text;
        initialized_.clear();
        wishes_.clear();
        blocked_ = true;
    } else if (!call->stateless && !messages.batch) {
        keep_wish(call->first, line.text);
    }
    for (const auto& id : call->unanswered)
        waiting_[id] = call;
    call->line = std::move(line.text);
    asio::co_spawn(ex_, ask(shared_from_this(), std::move(call), std::move(line.done)), asio::detached);
}

/// `notifications/cancelled`. True: nobody else need know, since closing the stream says it (2026-07-28).
bool bridge::withdraw(const rpc_message& cancelled) {
    if (cancelled.method != "notifications/cancelled")
        return false;
    const auto found = waiting_.find(cancelled.cancelled_id);
    if (found == waiting_.end())
        return !session_.open && was_stateless_;
    const auto call = found->second;
    call->unanswered.erase(cancelled.cancelled_id);
    call->withdrawn = call->unanswered.empty();
    waiting_.erase(found);
    if (call->stateless && call->run)
        call->run->stop();
    changed_.tell();
    return call->stateless;
}

void bridge::end_call(client_call& call) {
    for (const auto& id : std::exchange(call.unanswered, {}))
        if (const auto at = waiting_.find(id); at != waiting_.end() && at->second.get() == &call)
            waiting_.erase(at);
    changed_.tell();
}

task<void> bridge::ask(self_ptr self, call_ptr call, std::function<void()> done) {
    auto& b = *self;
    while (b.running_ >= requests_at_once && !b.dropped_)
        co_await b.changed_.next();
    ++b.running_;
    for (bool again = true; again && call->wants_answer() && !b.dropped_;)
        again = co_await b.try_once(call);
    --b.running_;
    call->run.reset();
    if (!b.speaks_old_ || call->stateless || call->handshake)
        b.end_call(*call);
    call_if(done);
    if (call->handshake)
        b.release();
    b.changed_.tell();
}

/// Sends it and deals with the answer. True: once more, in the session that has just begun.
task<bool> bridge::try_once(call_ptr call) {
    const bool bound = !call->stateless && !call->handshake;
    while (bound && renewing_)
        co_await changed_.next();
    const auto epoch = session_.epoch;
    if (bound && speaks_old_ && endpoint_.empty()) {
        const auto renewed = co_await renew(epoch);
        if (!renewed) {
            fail(*call, renewed.error());
            co_return false;
        }
    }
    const bool old_first =
        transport_ == transport_order::sse_only || transport_ == transport_order::sse_first;
    if (call->handshake && old_first) {
        const bool old = co_await try_old_transport(call);
        if (!old && transport_ == transport_order::sse_only)
            fail(*call, failure::passing(fault::upstream_unreachable,
                                         "the upstream opens no stream of HTTP+SSE (--transport sse-only)"));
        if (old || !call->wants_answer())
            co_return false;
    }
    const bool in_session = bound && (speaks_old_ || !session_.id.empty()); // the one that it is sent in
    call->run = link_.begin();
    auto request = request_for(*call);
    auto target = bound ? endpoint_ : std::string();
    auto answer = co_await link_.open(call->run, std::move(request), std::move(target));
    if (!answer) {
        fail(*call, answer.error());
        co_return false;
    }
    const auto status = (*answer)->head().status;
    if (status == 404 && in_session && !call->replayed) {
        link_.give_back(std::move(*answer));
        call->replayed = true;
        const auto renewed = co_await renew(epoch);
        if (!renewed)
            fail(*call, renewed.error());
        co_return renewed.has_value();
    }
    if (in_session && status >= 400 && (may_mean_lost(status) || !call->refused_with.empty())) {
        auto body = co_await read_whole(**answer, session_refusal);
        link_.give_back(std::move(*answer));
        std::string text;
        if (body)
            text = std::move(*body);
        auto refused = refused_in_session(call, epoch, status, std::move(text));
        co_return co_await std::move(refused);
    }
    if (in_session && status < 300)
        session_.worked = true;
    if (call->handshake && (status == 404 || status == 405) && transport_ != transport_order::http_only) {
        link_.give_back(std::move(*answer));
        const bool old = co_await try_old_transport(call);
        if (!old)
            refuse(*call, status, std::string());
        co_return false;
    }
    if (call->handshake && status < 300)
        learn_session((*answer)->head());
    auto rest_of_it = read_answer(call, std::move(*answer));
    co_await std::move(rest_of_it);
    co_return false;
}

void bridge::drop_everything() {
    dropped_ = ending_ = true;
    for (const auto& [id, call] : waiting_)
        if (call->run)
            call->run->stop();
    for (const auto& run : {stream_run_, notice_run_})
        if (run)
            run->stop();
    pause_.cancel();
    changed_.tell();
}

} // namespace reauth
