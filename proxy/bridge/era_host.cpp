// POST, GET and DELETE of sessions.
#include "proxy/bridge/era_host.hpp"

#include "core/crypto/random.hpp"
#include "core/mcp/sse.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"
#include "proxy/bridge/era_client.hpp"

#include <algorithm>
#include <map>

namespace reauth {
namespace {

using client_ptr = std::shared_ptr<era_client>;
constexpr std::size_t most_sessions = 1000, most_of_one = 200, largest_body = 16u << 20;
constexpr std::chrono::hours forgotten_after{1};
constexpr std::chrono::seconds heartbeat{10};

service_response plain_answer(unsigned status, std::string_view message) {
    return {status,
            {{"Content-Type", "application/json"}},
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":")" + std::string(message) +
                "\"}}"};
}

std::string field(const service_request& request, std::string_view name) {
    return std::string(request.header(name).value_or(""));
}

} // namespace

struct era_host::parts : std::enable_shared_from_this<era_host::parts> {
    executor ex;
    upstream_link::connector connect;
    secret key;
    std::unique_ptr<http_service> service;
    std::map<std::string, client_ptr> sessions;
    bool stopped = false;

    parts(executor e, upstream_link::connector c, secret k)
        : ex(e), connect(std::move(c)), key(std::move(k)) {}

    client_ptr find(const service_request& request) const {
        const auto found = sessions.find(field(request, "mcp-session-id"));
        const bool theirs =
            found != sessions.end() && found->second->whose == field(request, "authorization");
        return theirs ? found->second : nullptr;
    }
    void forget_idle() {
        const auto now = std::chrono::steady_clock::now();
        std::erase_if(sessions, [&](const auto& entry) {
            const bool old = entry.second->idle() && now - entry.second->used > forgotten_after;
            if (old)
                entry.second->end();
            return old;
        });
    }
    /// Of somebody's sessions (of everybody's: nullptr) the one that nobody has used for longest gives way to
    /// a new one. False: all of them are in use.
    bool give_way(const std::string* whose) {
        client_ptr longest;
        for (const auto& [id, client] : sessions)
            if (client->idle() && (!whose || client->whose == *whose) &&
                (!longest || client->used < longest->used))
                longest = client;
        if (longest)
            end(longest);
        return longest != nullptr;
    }
    bool room_for(const std::string& whose) {
        forget_idle();
        const auto theirs = std::count_if(sessions.begin(), sessions.end(),
                                          [&](const auto& entry) { return entry.second->whose == whose; });
        if (static_cast<std::size_t>(theirs) >= most_of_one)
            return give_way(&whose);
        return sessions.size() < most_sessions || give_way(nullptr);
    }
    client_ptr begin(const service_request& request) {
        if (stopped || !room_for(field(request, "authorization")))
            return nullptr;
        auto id = hex_encode(system_random()(16));
        auto made = std::make_shared<era_client>(ex, id, field(request, "authorization"));
        std::vector<header_field> with;
        if (!made->whose.empty())
            with.push_back({"Authorization", made->whose});
        upstream_link link(ex, connect, request.target, std::move(with));
        made->behind = std::make_shared<bridge>(ex, field(request, upstream_field), std::move(link), made,
                                                bridge_options{.eras = true});
        sessions[id] = made;
        return made;
    }
    void end(const client_ptr& client) {
        client->end();
        sessions.erase(client->id);
    }

    static constexpr auto upstream_field = "x-mcp-reauth-upstream";
    static task<void> serve(std::shared_ptr<parts> self, service_exchange& x);
    static task<void> post(std::shared_ptr<parts> self, service_exchange& x);
    static task<void> answer(client_ptr client, std::shared_ptr<open_answer> open, service_exchange& x);
    static task<void> stream(executor ex, client_ptr client, service_exchange& x);
};

/// What waits goes out, as one JSON answer where that is all, else as events; until nothing is missing any
/// more.
task<void> era_host::parts::answer(client_ptr client, std::shared_ptr<open_answer> open,
                                   service_exchange& x) {
    const header_field session{"Mcp-Session-Id", client->id};
    const bool listens = open->of_session;
    x.on_peer_gone([open] { open->timer.cancel(); });
    bool streaming = false, begin_now = listens;
    while (!client->over() && !x.peer_gone()) {
        const bool whole = !listens && open->missing.empty();
        if (!streaming && whole && !open->waiting.empty() &&
            (open->waiting.size() == 1 || !open->takes_events)) {
            service_response last{200, {{"Content-Type", "application/json"}, session}, open->take_all()};
            client->sent(last.body.size());
            co_await x.respond(std::move(last));
            co_return;
        }
        if (!streaming && (begin_now || (open->takes_events && !open->waiting.empty()))) {
            streaming = true;
            service_response head{200, {{"Content-Type", "text/event-stream"}, session}, {}};
            co_await x.begin_stream(std::move(head));
            continue;
        }
        if (streaming && !open->waiting.empty()) {
            const auto message = open->take();
            client->sent(message.size());
            const bool alive = co_await x.write(sse_event(message));
            if (!alive)
                co_return;
            continue;
        }
        if (whole)
            co_return;
        error_code woken;
        open->timer.expires_after(heartbeat);
        co_await open->timer.async_wait(asio::redirect_error(use_task, woken));
        if (woken)
            continue;
        begin_now = open->takes_events; // a long call: the client sees that it is worked on
        if (!streaming)
            continue;
        const bool alive = co_await x.write(": waiting\n\n");
        if (!alive)
            co_return;
    }
}

task<void> era_host::parts::post(std::shared_ptr<parts> self, service_exchange& x) {
    const auto body = parse_rpc(x.request().body);
    if (!body.valid || body.messages.empty()) {
        auto refused = plain_answer(400, "this is no JSON-RPC message");
        co_await x.respond(std::move(refused));
        co_return;
    }
    auto open = std::make_shared<open_answer>(self->ex);
    open->takes_events = field(x.request(), "accept").find("text/event-stream") != std::string::npos;
    bool begins = false;
    for (const auto& m : body.messages) {
        begins = begins || m.method == "initialize";
        if (!m.is_request())
            continue;
        open->missing.insert(m.id);
        if (!m.progress_token.empty())
            open->tokens.insert(m.progress_token);
    }
    const bool named = x.request().header("mcp-session-id").has_value();
    auto client = begins ? self->begin(x.request()) : self->find(x.request());
    if (!client) {
        auto refused = begins  ? plain_answer(503, "too many sessions")
                       : named ? plain_answer(404, "Session not found")
                               : plain_answer(400, "Mcp-Session-Id is missing: begin with initialize");
        co_await x.respond(std::move(refused));
        co_return;
    }
    if (open->missing.empty()) {
        client->behind->take(x.request().body);
        service_response accepted{202, {}, {}};
        co_await x.respond(std::move(accepted));
        co_return;
    }
    client->opened(open);
    client->behind->take(x.request().body);
    co_await answer(client, open, x);
    client->closed(open);
}

task<void> era_host::parts::stream(executor ex, client_ptr client, service_exchange& x) {
    auto open = std::make_shared<open_answer>(ex);
    open->of_session = true;
    const bool first = client->open_stream(open);
    if (!first) {
        auto refused = plain_answer(409, "the session's stream is open already");
        co_await x.respond(std::move(refused));
        co_return;
    }
    co_await answer(client, open, x);
    client->close_stream();
}

task<void> era_host::parts::serve(std::shared_ptr<parts> self, service_exchange& x) {
    const auto& request = x.request();
    if (!self->key.equals(request.header(key_field).value_or(""))) {
        auto nothing = plain_answer(404, "Nothing is here.");
        co_await x.respond(std::move(nothing));
        co_return;
    }
    if (request.method == "POST") {
        co_await post(self, x);
        co_return;
    }
    auto client = self->find(request);
    if (!client) {
        auto refused = request.header("mcp-session-id") ? plain_answer(404, "Session not found")
                                                        : plain_answer(405, "begin with POST");
        co_await x.respond(std::move(refused));
    } else if (request.method == "GET") {
        co_await stream(self->ex, client, x);
    } else {
        if (request.method == "DELETE")
            self->end(client);
        service_response done{request.method == "DELETE" ? 200u : 405u, {}, {}};
        co_await x.respond(std::move(done));
    }
}

era_host::era_host(executor ex, upstream_link::connector connect, secret key)
    : parts_(std::make_shared<parts>(ex, std::move(connect), std::move(key))) {}

era_host::~era_host() = default;

result<std::uint16_t> era_host::listen() {
    service_options options;
    options.max_body = largest_body;
    options.max_connections = options.max_per_peer = 4 * most_sessions;
    service_handler handler = [p = parts_](service_exchange& x) { return parts::serve(p, x); };
    parts_->service = std::make_unique<http_service>(parts_->ex, std::move(handler), std::move(options));
    return parts_->service->listen("127.0.0.1", 0);
}

void era_host::stop() {
    parts_->stopped = true;
    const auto all = std::exchange(parts_->sessions, {});
    for (const auto& [id, client] : all)
        client->end();
    parts_->service.reset();
}

const secret& era_host::key() const noexcept {
    return parts_->key;
}

} // namespace reauth
