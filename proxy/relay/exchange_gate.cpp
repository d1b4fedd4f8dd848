// What is known of a request for a person's eyes: who sends it, with which arguments. And policy `approve`:
// before it is sent, a call waits until a person has approved exactly it.
#include "core/ascii.hpp"
#include "core/display_text.hpp"
#include "core/http_field.hpp"
#include "core/tool_call.hpp"
#include "policy/decision.hpp"
#include "proxy/relay/exchange.hpp"

#include <algorithm>

namespace reauth {
namespace {

failure too_large() {
    return failure::permanent(
        fault::request_not_replayable,
        "the policy wants a person to approve calls before they are sent, and this body is larger than "
        "limits.replay_body allows to keep",
        "raise limits.replay_body, or send less");
}

std::vector<operation> operations_of(const call_content& content) {
    std::vector<operation> all;
    for (const auto& c : content.calls)
        if (!c.method.empty()) // else a response
            all.push_back({c.method, c.tool});
    return all;
}

/// What a person is shown: the arguments of the one call, or of each of a batch.
std::string arguments_of(const call_content& content) {
    if (content.calls.size() == 1)
        return shown_arguments(content.calls[0].arguments);
    std::string all;
    for (const auto& c : content.calls)
        all += (all.empty() ? "" : "\n") + clean_text(c.method) +
               (c.tool.empty() ? "" : " " + clean_text(c.tool)) +
               (c.arguments.empty() ? "" : " " + shown_arguments(c.arguments));
    return all.substr(0, 8000);
}

} // namespace

/// The body without its transfer framing; `store` holds it where that had to be taken off.
std::string_view exchange::body_payload(std::string& store) const {
    const auto& head = s_.memory->head;
    if (head.framing != body_framing::chunked)
        return body_view();
    body_scanner scanner(head);
    auto input = body_view();
    pass_body(scanner, input, true, store);
    return store;
}

/// As it calls itself: in this message, or where its session began.
std::string exchange::client_name() const {
    for (const auto& m : messages_.messages)
        if (!m.client_name.empty())
            return m.client_name;
    return w_.limits.clients.find(where_.credential(), s_.memory->head.value(field_id::mcp_session_id));
}

/// Of an answer to a POST without a session: who its client is, if a session begins; that there is nothing to
/// be had by POST, if it says so.
void exchange::learn_from_answer() {
    const auto& answer = s_.memory->up->answer;
    const auto& head = s_.memory->head;
    if (head.method != "POST" || head.find(field_id::mcp_session_id))
        return;
    if (!answer.find(field_id::mcp_session_id)) {
        if (rest_.empty())
            w_.limits.old_servers.learn(where_.to->origin + where_.to->base_path);
        return;
    }
    parse_messages();
    w_.limits.clients.remember(where_.credential(), answer.value(field_id::mcp_session_id), client_name());
}

/// Of the first tool call, for a person's eyes; of a large body they are not looked for.
std::string exchange::first_arguments() const {
    constexpr std::size_t largest = 64 * 1024;
    const auto call = std::find_if(messages_.messages.begin(), messages_.messages.end(),
                                   [](const rpc_message& m) { return m.method == "tools/call"; });
    if (call == messages_.messages.end() || body_view().size() > largest)
        return {};
    std::string store;
    const auto content = read_call_content(body_payload(store));
    if (!content)
        return {};
    for (const auto& c : content->calls)
        if (c.method == "tools/call")
            return shown_arguments(c.arguments);
    return {};
}

/// True: it may be sent. The arguments are kept for a person's eyes alone.
task<bool> exchange::pass_gate() {
    const auto& head = s_.memory->head;
    if (head.framing == body_framing::none)
        co_return true;
    co_await finish_body();
    if (s_.gone)
        co_return false;
    if (!body_read_ || !body_whole_ || body_broken_) {
        why_ = too_large();
        co_await fail(why_);
        co_return false;
    }
    std::string store;
    const auto payload = body_payload(store);
    bool encoded = false;
    for (const auto& f : head)
        encoded = encoded || iequals(f.name, "content-encoding");
    auto content = read_call_content(encoded ? std::string_view() : payload);
    if (!content) {
        why_ = content.error();
        co_await fail(why_);
        co_return false;
    }
    auto operations = operations_of(*content);
    const auto principal = where_.principal_name();
    const auto* rule = rule_for_call(where_.settings().policy, where_.upstream().name, principal, operations);
    if (!rule)
        co_return true;
    parse_messages();
    recovery_ask ask;
    ask.where = where_;
    ask.what.client_name = client_name();
    auto& call = ask.call.emplace();
    call.digest = call_digest(principal, where_.upstream().name, where_.to->origin + s_.memory->target,
                              content->canonical);
    call.operations = std::move(operations);
    call.arguments = arguments_of(*content);
    call.client_name = ask.what.client_name;
    call.rule = rule->name.empty() ? rule->where : rule->name;
    call.wait = rule->wait;
    auto held = std::make_shared<held_request>(w_.context.get_executor(), s_.waker, std::move(ask));
    const bool approved = co_await wait_for_verdict(held);
    reason_.clear();
    co_return approved;
}

} // namespace reauth
