// Policy `approve`: before it is sent, a call waits until a person has approved exactly it.
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

/// `resend`: it may be sent. The arguments are kept for a person's eyes alone.
task<result<exchange::outcome>> exchange::pass_gate() {
    if (head().framing == body_framing::none)
        co_return outcome::resend;
    auto read = co_await upload_.finish();
    if (s_.gone)
        co_return outcome::client_gone;
    if (!read || !body_.complete())
        co_return too_large();
    bool encoded = false;
    for (const auto& f : head())
        encoded = encoded || iequals(f.name, "content-encoding");
    std::string store;
    const auto payload = body_.payload(store);
    auto content = read_call_content(encoded ? std::string_view() : payload);
    if (!content)
        co_return content.error();
    auto operations = operations_of(*content);
    const auto principal = where_.principal_name();
    const auto* rule = rule_for_call(where_.settings().policy, where_.upstream().name, principal, operations);
    if (!rule)
        co_return outcome::resend;
    read_message();
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
    auto approved = co_await wait(std::move(ask));
    if (approved && *approved == outcome::resend)
        news_ = {}; // this approval is used up
    co_return approved;
}

} // namespace reauth
