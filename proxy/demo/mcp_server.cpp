// The demo's MCP server: life cycle, the Streamable HTTP transport, and its event streams.
#include "proxy/demo/mcp_server.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/json_reader.hpp"
#include "core/mcp/sse.hpp"
#include "core/text/encoding.hpp"
#include "proxy/demo/mcp_state.hpp"

#include <boost/asio/post.hpp>

namespace reauth {

using nlohmann::json;

demo_mcp_server::demo_mcp_server(executor ex, demo_mcp_options options)
    : state_(std::make_shared<state>(ex, std::move(options))) {}

demo_mcp_server::~demo_mcp_server() {
    stop();
}

result<std::string> demo_mcp_server::start(std::uint16_t port) {
    service_options http;
    http.max_body = state_->options.max_body;
    http.max_connections = 8192;
    // weak: the service is a member of the state
    const std::weak_ptr<state> weak = state_;
    state_->service = std::make_unique<http_service>(
        state_->ex, [weak](service_exchange& x) { return state::serve(weak.lock(), x); }, http);
    const auto bound = state_->service->listen("127.0.0.1", port);
    if (!bound)
        return bound.error();
    state_->origin = "http://127.0.0.1:" + std::to_string(*bound);
    state_->url = state_->origin + state_->options.path;
    return state_->url;
}

void demo_mcp_server::stop() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopped = true;
    }
    if (state_->service)
        state_->service->stop();
    state_->before_authentication.open();
    state_->before_answer.open();
    state_->wake_streams();
}

const std::string& demo_mcp_server::url() const {
    return state_->url;
}
demo_gate& demo_mcp_server::before_authentication() {
    return state_->before_authentication;
}
demo_gate& demo_mcp_server::before_answer() {
    return state_->before_answer;
}

void demo_mcp_server::set_faults(demo_mcp_faults faults) {
    const std::lock_guard lock(state_->mutex);
    state_->faults = std::move(faults);
}

std::uint64_t demo_mcp_server::executed(const std::string& what) const {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->executions.find(what);
    return found == state_->executions.end() ? 0 : found->second;
}

std::map<std::string, std::uint64_t> demo_mcp_server::executions() const {
    const std::lock_guard lock(state_->mutex);
    return state_->executions;
}

std::uint64_t demo_mcp_server::challenges() const {
    const std::lock_guard lock(state_->mutex);
    return state_->challenges;
}

std::uint64_t demo_mcp_server::scope_challenges() const {
    const std::lock_guard lock(state_->mutex);
    return state_->scope_challenges;
}

std::uint64_t demo_mcp_server::open_streams() const {
    const std::lock_guard lock(state_->mutex);
    return state_->streams.size();
}

void demo_mcp_server::broadcast(const json& message) {
    {
        const std::lock_guard lock(state_->mutex);
        for (const auto& stream : state_->streams)
            stream->waiting.push_back(message);
    }
    state_->wake_streams();
}

void demo_mcp_server::state::wake_streams() {
    asio::post(ex, [self = shared_from_this()] {
        const std::lock_guard lock(self->mutex);
        for (const auto& stream : self->streams)
            stream->alarm.cancel();
    });
}

task<void> demo_mcp_server::state::serve(std::shared_ptr<state> self, service_exchange& x) {
    if (!self)
        co_return;
    const service_request& request = x.request();
    service_response answer{404, {{"Content-Type", "text/plain"}}, "No such page.\n"};
    if (request.method == "GET" &&
        request.path == "/.well-known/oauth-protected-resource" + self->options.path)
        answer = self->metadata();
    if (request.path == self->options.path) {
        if (request.method == "POST") {
            co_await serve_post(self, x);
            co_return;
        }
        if (request.method == "GET") {
            co_await serve_stream(self, x);
            co_return;
        }
        demo_token_state token;
        answer = {405, {{"Allow", "GET, POST, DELETE"}}, ""};
        if (request.method == "DELETE") {
            answer = {200, {}, ""};
            auto refused = self->challenge(request, json(), token);
            if (!refused)
                refused = self->transport_error(request, json());
            const std::lock_guard lock(self->mutex);
            if (refused)
                answer = std::move(*refused);
            else
                self->sessions.erase(std::string(*request.header("Mcp-Session-Id")));
        }
    }
    co_await x.respond(std::move(answer));
}

task<void> demo_mcp_server::state::serve_post(std::shared_ptr<state> self, service_exchange& x) {
    co_await self->before_authentication.pass();
    const service_request& request = x.request();
    const auto message = read_json(request.body, whole_message).value_or(json());
    std::vector<header_field> headers{{"X-Demo-Body-SHA256", hex_encode(sha256(request.body))}};
    demo_token_state token;
    auto refused = self->challenge(request, message, token);
    if (!refused)
        refused = self->transport_error(request, message);
    if (refused) {
        refused->headers.push_back(headers.front());
        co_await x.respond(std::move(*refused));
        co_return;
    }
    std::string new_session;
    auto answer = self->execute(message, token, new_session);
    if (!new_session.empty())
        headers.push_back({"Mcp-Session-Id", new_session});
    co_await self->before_answer.pass();
    bool drop = false;
    {
        const std::lock_guard lock(self->mutex);
        if (self->faults.drop_next > 0) {
            --self->faults.drop_next;
            drop = true;
        }
    }
    if (drop) {
        x.abort();
        co_return;
    }
    if (!message.contains("id") || !message.contains("method")) {
        service_response accepted{202, std::move(headers), ""};
        co_await x.respond(std::move(accepted));
        co_return;
    }
    co_await send_answer(self, x, std::move(answer), std::move(headers));
}

task<void> demo_mcp_server::state::send_answer(std::shared_ptr<state> self, service_exchange& x,
                                               demo_rpc_answer answer, std::vector<header_field> headers) {
    bool stream = answer.stream;
    {
        const std::lock_guard lock(self->mutex);
        if (self->faults.style != demo_answer_style::automatic)
            stream = self->faults.style == demo_answer_style::sse;
    }
    if (!stream) {
        service_response whole = demo_json(200, answer.message);
        whole.headers.insert(whole.headers.end(), headers.begin(), headers.end());
        co_await x.respond(std::move(whole));
        co_return;
    }
    service_response head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}, ""};
    head.headers.insert(head.headers.end(), headers.begin(), headers.end());
    co_await x.begin_stream(std::move(head));
    loop_timer timer(self->ex);
    for (const json& notification : answer.before) {
        auto event = sse_event(json_text(notification));
        const bool sent = co_await x.write(std::move(event));
        if (!sent)
            co_return;
        timer.expires_after(self->options.slow_step);
        error_code ignored;
        co_await timer.async_wait(asio::redirect_error(use_task, ignored));
    }
    auto last = sse_event(json_text(answer.message));
    co_await x.write(std::move(last));
}

task<void> demo_mcp_server::state::serve_stream(std::shared_ptr<state> self, service_exchange& x) {
    demo_token_state token;
    auto refused = self->challenge(x.request(), json(), token);
    if (!refused)
        refused = self->transport_error(x.request(), json());
    if (refused) {
        co_await x.respond(std::move(*refused));
        co_return;
    }
    service_response head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}, ""};
    const auto stream = std::make_shared<demo_event_stream>(self->ex);
    {
        const std::lock_guard lock(self->mutex);
        self->streams.insert(stream);
    }
    co_await x.begin_stream(std::move(head));
    bool alive = true;
    while (alive) {
        std::string bytes;
        {
            const std::lock_guard lock(self->mutex);
            if (self->stopped)
                break;
            for (; !stream->waiting.empty(); stream->waiting.pop_front())
                bytes += "id: " + std::to_string(++self->events) + "\n" +
                         sse_event(json_text(stream->waiting.front()));
        }
        if (!bytes.empty()) {
            alive = co_await x.write(std::move(bytes));
            continue;
        }
        const auto interval = self->options.event_interval;
        // with no events of its own the stream still has to notice that the peer left
        stream->alarm.expires_after(interval.count() > 0 ? interval : std::chrono::milliseconds(100));
        error_code woken;
        co_await stream->alarm.async_wait(asio::redirect_error(use_task, woken));
        if (!woken && interval.count() > 0) {
            const std::lock_guard lock(self->mutex);
            stream->waiting.push_back({{"jsonrpc", "2.0"},
                                       {"method", "notifications/message"},
                                       {"params", {{"level", "info"}, {"data", "tick"}}}});
        }
        alive = !x.peer_gone();
    }
    const std::lock_guard lock(self->mutex);
    self->streams.erase(stream);
}

} // namespace reauth
