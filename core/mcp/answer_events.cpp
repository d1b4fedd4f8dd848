// Lines, events, and the JSON-RPC messages in them.
#include "core/mcp/answer_events.hpp"

#include "core/json/json_repair.hpp"

namespace reauth {

namespace {

failure malformed(std::string message) {
    return failure::permanent(fault::upstream_malformed, std::move(message), "tell the upstream's operator");
}

} // namespace

void answer_events::note(const rpc_body& messages) {
    for (const auto& m : messages.messages)
        if (m.is_response() && !m.id.empty())
            answered_.insert(m.id);
}

result<std::string> answer_events::feed(std::string_view payload) {
    std::string decoded;
    if (!decoder_.identity()) {
        if (auto fed = decoder_.feed(payload, decoded, largest); !fed)
            return fed.error();
        payload = decoded;
    }
    std::string out;
    if (!stream_) {
        json_ += payload;
    } else {
        for (auto& event : reader_.feed(payload)) {
            note(parse_rpc(event.data));
            resumable_ = resumable_ || event.id.has_value();
            out += event.text;
        }
    }
    if (json_.size() > largest || reader_.held() > largest)
        return malformed("the upstream's answer is larger than 64 MiB");
    return out;
}

result<std::string> answer_events::finish(bool whole) {
    if (whole)
        if (auto coded = decoder_.finish(); !coded)
            return coded.error();
    if (!whole)
        return malformed("the upstream broke off in the middle of its answer");
    if (stream_)
        return std::string();
    auto messages = parse_rpc(json_);
    if (!messages.valid) {
        json_ = repair_json(json_);
        messages = parse_rpc(json_);
    }
    bool any_response = false;
    for (const auto& m : messages.messages)
        any_response = any_response || m.is_response();
    if (!any_response)
        return malformed("the upstream answered with a body that is no JSON-RPC response");
    note(messages);
    return sse_from_json(json_);
}

} // namespace reauth
