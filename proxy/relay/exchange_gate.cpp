// Policy `approve`: before it is sent, a call waits until a person has approved exactly it.
#include "core/http/trace_context.hpp"
#include "core/mcp/call_head.hpp"
#include "core/mcp/shown_call.hpp"
#include "policy/life/call_gate.hpp"
#include "policy/rules/decision.hpp"
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

challenge_facts facts_of_call(const request_target& where, const std::vector<std::string>& groups,
                              const std::vector<operation>& operations) {
    challenge_facts call;
    call.upstream = where.upstream().name;
    call.principal = where.principal.name();
    call.groups = groups;
    call.operations = operations;
    return call;
}

/// In the order of the body; a response has no method.
std::vector<operation> operations_of(const call_content& content) {
    std::vector<operation> all;
    for (const auto& c : content.calls)
        all.push_back({c.method, c.tool});
    return all;
}

} // namespace

/// `resend`: it may be sent. The arguments are kept for a person's eyes alone.
loop_task<result<exchange::outcome>> exchange::pass_gate() {
    if (head().framing == body_framing::none)
        co_return outcome::resend;
    auto read = co_await upload_.finish();
    if (down_.gone())
        co_return outcome::client_gone;
    if (!read || !body_.complete())
        co_return too_large();
    std::string store;
    auto content = read_call(head(), body_.payload(store));
    if (!content)
        co_return content.error();
    const auto operations = operations_of(*content);
    const auto& principal = where_.principal.name();
    const auto found =
        rule_for_call(where_.settings().policy, {where_.upstream().name, principal, who_.groups}, operations);
    if (!found.observed.empty())
        w_.recovery.observed(where_, facts_of_call(where_, who_.groups, operations));
    const auto* rule = found.matched;
    const auto named = found.operation;
    if (!rule)
        co_return outcome::resend;
    read_message();
    recovery_ask ask;
    ask.where = where_;
    ask.what.client_name = client_name();
    ask.what.groups = who_.groups;
    ask.trace = watch_ && watch_->span ? watch_->span->context.text() : traceparent_of(head());
    auto& call = ask.call.emplace();
    call.target = where_.to->origin + down_.memory()->target;
    call.digest = call_digest(principal, where_.upstream().name, call.target, content->canonical);
    call.named = operations[named];
    call.shown = show_calls(*content, named);
    call.client_name = ask.what.client_name;
    call.rule = rule->name.empty() ? rule->where : rule->name;
    call.wait = rule->wait;
    auto held = hold(std::move(ask));
    auto approved = co_await wait(std::move(held));
    if (approved && *approved == outcome::resend)
        news_ = {}; // this approval is used up
    co_return approved;
}

} // namespace reauth
