// Lines, events, and the JSON-RPC messages in them.
#include "core/answer_events.hpp"

#include "core/json_repair.hpp"
#include "core/sse.hpp"

namespace reauth {

namespace {

failure malformed(std::string message) {
    return failure::permanent(fault::upstream_malformed, std::move(message), "tell the upstream's operator");
}

} // namespace

void event_cutter::take_line(std::string_view line, event& now) {
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' '))
        value.remove_prefix(1);
    if (name == "data") {
        if (!now.data.empty())
            now.data += '\n';
        now.data += value;
    } else if (name == "id") {
        now.has_id = true;
    }
}

std::vector<event_cutter::event> event_cutter::feed(std::string_view piece) {
    std::vector<event> whole;
    held_ += piece;
    for (; scanned_ < held_.size(); ++scanned_) {
        const char c = held_[scanned_];
        if (c != '\n' && c != '\r')
            continue;
        if (c == '\r' && scanned_ + 1 == held_.size())
            break; // whether LF follows is not known yet
        const bool empty = scanned_ == line_;
        if (!empty)
            take_line(std::string_view(held_).substr(line_, scanned_ - line_), now_);
        if (c == '\r' && held_[scanned_ + 1] == '\n')
            ++scanned_;
        line_ = scanned_ + 1;
        if (!empty)
            continue;
        now_.text = held_.substr(0, line_);
        whole.push_back(std::exchange(now_, {}));
        held_.erase(0, line_);
        line_ = 0;
        scanned_ = static_cast<std::size_t>(-1); // the loop makes it 0
    }
    return whole;
}

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
        for (auto& event : cutter_.feed(payload)) {
            note(parse_rpc(event.data));
            resumable_ = resumable_ || event.has_id;
            out += event.text;
        }
    }
    if (json_.size() > largest || cutter_.held() > largest)
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
