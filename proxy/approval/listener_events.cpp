// Live updates: Server-Sent Events of approvals and credentials, for the dashboard and the approval page.
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/listener_impl.hpp"

#include "core/text/display_text.hpp"

namespace reauth {
namespace {

// those who hold the token and those who only hold a link do not take each other's place
constexpr std::size_t operator_streams = 32, link_streams = 64, streams_per_link = 4;
constexpr std::size_t changes_kept = 256;
constexpr int quiet_ticks_before_comment = 10;

std::string event(const char* name, const nlohmann::json& data) {
    return "event: " + std::string(name) + "\ndata: " + to_text(data) + "\n\n";
}

/// The whole list, whenever it differs from the last one that was sent.
void append_if_new(std::string& text, std::string& last, std::string now) {
    if (now == last)
        return;
    last = std::move(now);
    text += last;
}

nlohmann::json change_json(const approval& a) {
    return {{"id", a.id}, {"status", to_string(a.status)}, {"outcome", clean_text(a.outcome, 400)}};
}

} // namespace

void approval_listener::impl::changed(const approval& a) {
    for (const auto& s : streams) {
        if (s->only_id.empty() ? !s->who.sees(a.principal) : s->only_id != a.id)
            continue;
        if (s->changes.size() < changes_kept)
            s->changes.push_back(change_json(a));
        s->woken = true;
        s->tick.cancel();
    }
}

/// Pages of one approval beyond a few: the oldest gives way (its page asks again after a while).
bool approval_listener::impl::room_for_stream(const std::string& only_id) {
    std::size_t operators = 0, links = 0, same = 0;
    std::shared_ptr<live_stream> oldest;
    for (const auto& s : streams) {
        if (s->over)
            continue;
        ++(s->only_id.empty() ? operators : links);
        if (s->only_id != only_id)
            continue;
        ++same;
        if (!oldest || s->number < oldest->number)
            oldest = s;
    }
    const bool crowded = only_id.empty() ? operators >= operator_streams : same >= streams_per_link;
    if (crowded) {
        oldest->over = true;
        oldest->woken = true;
        oldest->tick.cancel();
        return true;
    }
    return only_id.empty() || links < link_streams;
}

/// Operator (`only_id` empty): `approvals` and `credentials` hold the whole list whenever it differs from the
/// last one sent; `approval` tells one change. Link holder: `approval` only, and the stream ends with the
/// decision.
task<void> approval_listener::impl::stream_events(self_ptr self, service_exchange& x, std::string only_id,
                                                  viewer who) {
    if (!self->room_for_stream(only_id)) {
        auto busy =
            json_answer(503, {{"error", "overloaded"}, {"message", "Too many pages are open."}, {"fix", ""}});
        co_await x.respond(std::move(busy));
        co_return;
    }
    auto stream = std::make_shared<live_stream>(self->ex);
    stream->only_id = only_id;
    stream->who = who;
    stream->number = ++self->streams_begun;
    self->streams.insert(stream);
    const std::shared_ptr<void> leave(nullptr, [&](void*) { self->streams.erase(stream); });

    service_response head{
        200, {{"Content-Type", "text/event-stream"}, {"X-Accel-Buffering", "no"}}, "retry: 1000\n\n"};
    auto safe_head = guarded(std::move(head));
    co_await x.begin_stream(std::move(safe_head));
    if (!only_id.empty())
        if (const auto a = self->services.book.find(only_id))
            stream->changes.push_back(change_json(*a));

    const bool own_only = self->others.asks(x.request());
    std::string last_approvals, last_credentials, last_rules, last_history;
    int quiet = 0;
    while (!self->closing && !x.peer_gone() && !stream->over) {
        if (who.person && self->services.people->over(*who.person))
            break; // the next request says so
        stream->woken = false;
        if (!only_id.empty()) // a dashboard that is left open is nobody who looks at this one
            self->services.book.look(only_id, self->services.clock());
        bool over = false;
        std::string text;
        if (only_id.empty() && !own_only) {
            co_await self->others.look("approvals");
            co_await self->others.look("credentials");
        }
        if (only_id.empty()) {
            const history_query last;
            const auto past = co_await history_of(self, who, last);
            append_if_new(text, last_approvals, event("approvals", self->waiting_json(who, own_only)));
            append_if_new(text, last_credentials,
                          event("credentials", self->credentials_json(who, own_only)));
            append_if_new(text, last_rules, event("rules", self->list_json("rules", who)));
            append_if_new(text, last_history, event("history", past));
        } else {
            const auto a = self->services.book.find(only_id);
            over = !a || decided(a->status);
        }
        for (; !stream->changes.empty(); stream->changes.pop_front())
            text += event("approval", stream->changes.front());
        if (text.empty() && ++quiet >= quiet_ticks_before_comment)
            text = ": still here\n\n";
        if (!text.empty()) {
            quiet = 0;
            const bool alive = co_await x.write(std::move(text));
            if (!alive)
                break;
        }
        if (over)
            break;
        if (stream->woken || self->closing)
            continue;
        error_code ec;
        stream->tick.expires_after(std::chrono::seconds(1));
        co_await stream->tick.async_wait(asio::redirect_error(use_task, ec));
    }
}

} // namespace reauth
