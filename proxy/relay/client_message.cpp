// The shallow look at a body, and what is concluded from it.
#include "proxy/relay/client_message.hpp"

#include "core/http/http_field.hpp"
#include "core/mcp/shown_call.hpp"
#include "core/mcp/sse.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>

namespace reauth {

bool accepts_event_stream(const request_head& head) {
    bool accepted = false;
    for (const auto& f : head)
        if (f.id == field_id::accept)
            for_each_list_item(f.value,
                               [&](std::string_view item) { accepted = accepted || is_event_stream(item); });
    return accepted;
}

bool from_old_stream_client(const request_head& head) {
    return !head.find(field_id::mcp_protocol_version) && !head.find(field_id::mcp_session_id) &&
           !head.find(field_id::last_event_id);
}

bool speaks_2026(const request_head& head) {
    // dates: text order is time's order
    const auto version = head.value(field_id::mcp_protocol_version);
    return version.size() == 10 && version >= "2026-07-28";
}

void client_message::read(const request_head& head, const replay_body& body) {
    if (read_)
        return;
    read_ = body.read() || head.method == "GET";
    if (head.method == "GET") {
        kind_ = accepts_event_stream(head) ? waiting_kind::stream : waiting_kind::other;
        return;
    }
    if (head.method != "POST" || !body.complete())
        return;
    std::string store;
    body_ = parse_rpc(body.payload(store));
    if (!body_.valid)
        return;
    kind_ = waiting_kind::posted;
    for (const auto& m : body_.messages) {
        if (!m.is_request())
            continue;
        if (m.method == "initialize" || m.method == "server/discover")
            kind_ = waiting_kind::handshake;
        else if (kind_ == waiting_kind::posted)
            kind_ = waiting_kind::call;
    }
}

bool client_message::elicits() const {
    return std::any_of(messages().begin(), messages().end(), [](const auto& m) { return m.url_elicitation; });
}

bool client_message::has_progress_token() const {
    return std::any_of(messages().begin(), messages().end(),
                       [](const auto& m) { return !m.progress_token.empty(); });
}

bool client_message::probes() const {
    return std::any_of(messages().begin(), messages().end(),
                       [](const auto& m) { return m.method == "server/discover"; });
}

std::string client_message::client_name() const {
    for (const auto& m : messages())
        if (!m.client_name.empty())
            return m.client_name;
    return {};
}

std::vector<operation> client_message::operations() const {
    std::vector<operation> all;
    for (const auto& m : messages())
        if (!m.method.empty())
            all.push_back({m.method, m.tool});
    return all;
}

bool client_message::only_reads(const request_head& head) const {
    if (head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS")
        return true;
    return body_.valid && !messages().empty() &&
           std::all_of(messages().begin(), messages().end(),
                       [](const auto& m) { return reads_only(m.method); });
}

std::string client_message::first_arguments(const replay_body& body) const {
    constexpr std::size_t largest = 64 * 1024;
    const auto is_call = [](const auto& m) { return m.method == "tools/call"; };
    if (std::none_of(messages().begin(), messages().end(), is_call) || body.view().size() > largest)
        return {};
    std::string store;
    const auto content = read_call_content(body.payload(store));
    if (!content)
        return {};
    const auto call = std::find_if(content->calls.begin(), content->calls.end(), is_call);
    return call == content->calls.end() ? std::string() : shown_arguments(call->arguments);
}

} // namespace reauth
