// The heads that are sent on: what belongs to one hop or to us stays here.
#include "core/http/http_head.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"

namespace reauth {

bool hop_by_hop(const head_field& field) noexcept {
    if (field.nominated)
        return true;
    switch (field.id) {
    case field_id::connection:
    case field_id::http2_settings:
    case field_id::keep_alive:
    case field_id::proxy_authenticate:
    case field_id::proxy_authorization:
    case field_id::proxy_connection:
    case field_id::te:
    case field_id::trailer:
    case field_id::upgrade:
        return true;
    default:
        return false;
    }
}

namespace {

/// The fields that are sent on once, however often they came with one value: a client would join them with a
/// comma.
class sent_once {
public:
    /// Whether that field, of an id that comes here, was there already with the same value.
    bool repeats(const head_field& f) noexcept {
        auto& first = f.id == field_id::mcp_session_id ? session_ : version_;
        if (first)
            return first->value == f.value;
        first = &f;
        return false;
    }

private:
    const head_field *session_ = nullptr, *version_ = nullptr;
};

/// Documents that can run scripts; the two types of MCP answers are told apart at once.
bool document_type(std::string_view type) noexcept {
    if (type.starts_with("application/json") || type.starts_with("text/event-stream"))
        return false;
    return type.find("html") != type.npos || type.find("xml") != type.npos || type.find("svg") != type.npos;
}

} // namespace

void write_request_head(const request_head& head, const request_rewrite& rewrite, std::string& out) {
    out.append(head.method).append(1, ' ').append(rewrite.target).append(" HTTP/1.1\r\nHost: ");
    out.append(rewrite.host).append("\r\n").append(rewrite.credential).append(rewrite.injected);
    sent_once once;
    for (const auto& f : head) {
        if (hop_by_hop(f) || (!rewrite.replaced.empty() && name_in_list(rewrite.replaced, f.name)))
            continue;
        switch (f.id) {
        case field_id::host:
        case field_id::expect:
            continue;
        case field_id::authorization:
        case field_id::dpop:
            if (!rewrite.keep_authorization)
                continue;
            break;
        case field_id::cookie:
            if (!rewrite.keep_cookies)
                continue;
            break;
        case field_id::accept_encoding:
            if (rewrite.identity_encoding)
                continue;
            break;
        case field_id::mcp_session_id:
        case field_id::mcp_protocol_version:
            if (once.repeats(f))
                continue;
            break;
        default:
            break;
        }
        out.append(f.line);
    }
    if (rewrite.identity_encoding)
        out.append("Accept-Encoding: identity\r\n");
    out.append("\r\n");
}

void write_response_head(const response_head& head, const response_rewrite& rewrite, std::string& out) {
    out.append("HTTP/1.1 ").append(head.status_line_rest).append("\r\n");
    sent_once once;
    bool cache_control = false, document = false;
    const bool no_body = head.status == 204 || head.status == 304; // and no framing (RFC 9110 §8.6)
    for (const auto& f : head) {
        if (hop_by_hop(f))
            continue;
        switch (f.id) {
        case field_id::www_authenticate:
        case field_id::dpop_nonce:
            if (!rewrite.keep_challenge)
                continue;
            break;
        case field_id::set_cookie:
            if (!rewrite.keep_cookies)
                continue;
            break;
        case field_id::transfer_encoding:
            if (rewrite.drop_transfer_encoding || no_body)
                continue;
            break;
        case field_id::content_length:
            if (no_body)
                continue;
            break;
        case field_id::mcp_session_id:
        case field_id::mcp_protocol_version:
            if (once.repeats(f))
                continue;
            break;
        case field_id::content_type:
            document = document_type(f.value);
            break;
        case field_id::cache_control:
            cache_control = true;
            break;
        default:
            break;
        }
        out.append(f.line);
    }
    if (!cache_control)
        out.append("Cache-Control: private\r\n");
    if (document) // a page of one upstream is no page of ours, which may call the others
        out.append("Content-Security-Policy: sandbox\r\n");
    if (rewrite.close)
        out.append("Connection: close\r\n");
    out.append("\r\n");
}

unsigned keep_alive_timeout(const response_head& head) noexcept {
    unsigned seconds = 0;
    for_each_list_item(head.value(field_id::keep_alive), [&](std::string_view item) {
        std::uint64_t value = 0;
        if (item.size() > 8 && iequals(item.substr(0, 8), "timeout=") && parse_decimal(item.substr(8), value))
            // a promise of nothing is still a promise: not the same as none
            seconds = static_cast<unsigned>(value == 0 ? 1 : value < 86400 ? value : 86400);
    });
    return seconds;
}

} // namespace reauth
