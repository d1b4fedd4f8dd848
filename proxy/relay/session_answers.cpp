// What needs no upstream is answered by ourselves: refusals, our own metadata, unknown paths.
#include "proxy/relay/session.hpp"

#include "proxy/log/log.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/caller_answer.hpp"
#include "proxy/relay/local_answer.hpp"

namespace reauth {

/// What is in `out`, to the client.
loop_task<void> session::send_out() {
    write_job job{down_.memory()->out, {}};
    if (write_now(down_.client(), job))
        co_return;
    co_await write_rest(down_.client(), job);
}

void session::refuse(unsigned status, std::string_view message, bool close) {
    auto& out = down_.need_memory().out;
    out.clear();
    append_refusal(out, status, message, close, down_.memory()->head.method == "HEAD");
}

/// What is answered whoever calls; it is in `out` then.
bool session::answers_stranger(const routing_table& table, bool close) {
    const auto& head = down_.memory()->head;
    const auto& settings = *table.settings;
    const auto admitted = admit(head, settings, listener);
    std::string_view resource;
    if (admitted.status != 0) {
        refuse(admitted.status, admitted.reason, close);
        return true;
    }
    if (table.takes_tokens && head.target.size() > 1 && head.target[1] == '.' &&
        protected_resource_path(head.target, resource)) [[unlikely]] {
        auto& out = down_.memory()->out;
        out.clear();
        append_answer(out, 200, protected_resource(settings, head.value(field_id::host), resource), close,
                      head.method == "HEAD");
        return true;
    }
    return false;
}

/// What is answered without an upstream; it is in `out` then. Else `match` says where the request goes.
bool session::answers_itself(const routing_table& table, caller_check& whose, route_match& match,
                             bool close) {
    const auto& head = down_.memory()->head;
    if (whose.is != caller_check::kind::known) [[unlikely]] {
        home.counters.strangers.fetch_add(1, std::memory_order_relaxed);
        log_event(log_level::debug, "caller refused",
                  {{"why", std::string(whose.why ? to_string(*whose.why) : "nothing shown")},
                   {"peer", down_.peer()}});
        auto& out = down_.memory()->out;
        out.clear();
        append_caller_refusal(out, *table.settings, head.value(field_id::host), head.target, whose, close,
                              head.method == "HEAD");
        return true;
    }
    if (const char* unsafe = unsafe_path(head.target)) {
        refuse(400, unsafe, close);
        return true;
    }
    match = find_route(listener.mounts(table), head.target);
    if (oauth_metadata_path(head.target) &&
        (!match.to || match.to->upstream->metadata == metadata_mode::shield)) {
        refuse(404, "no OAuth metadata here: mcp-reauth signs in for you, connect without authorization",
               close);
        return true;
    }
    if (!match.to) {
        std::string known = "no upstream at this path; known prefixes:";
        for (const auto& m : listener.mounts(table))
            known += " " + (m.prefix.empty() ? std::string("/") : m.prefix);
        refuse(404, known, close);
        return true;
    }
    const auto second =
        static_cast<std::uint32_t>(home.loop.now().time_since_epoch() / std::chrono::seconds(1));
    caller_.who = std::move(whose.who);
    if (!caller_.turn.begin(caller_.who->principal, table.settings->limits.requests_per_principal, second,
                            !table.settings->client_auth.empty())) {
        auto& out = down_.memory()->out;
        out.clear();
        append_too_many(out, caller_.who->principal.name(), close, head.method == "HEAD");
        return true;
    }
    return false;
}

} // namespace reauth
