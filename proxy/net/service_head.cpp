// Strict checks of request heads, and the writing of response heads.
#include "proxy/net/service_head.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>

namespace reauth {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool well_formed_host(std::string_view host) {
    // The characters of RFC 3986 reg-name, IP-literal and port; no userinfo, no list, no path.
    return !host.empty() && host.size() <= 300 && std::all_of(host.begin(), host.end(), [](char c) {
        return is_alnum(c) || std::string_view("-._~:[]%").find(c) != std::string_view::npos;
    });
}

std::string http_date() {
    const auto now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 40> text{};
    const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return {text.data(), size};
}

} // namespace

std::optional<std::string> malformed_head_bytes(std::string_view head) {
    bool first = true;
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        if (end == std::string_view::npos)
            return "a line does not end with CR LF";
        const auto line = head.substr(0, end);
        head.remove_prefix(end + 2);
        for (const char c : line)
            if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
                return "a control character is in the head";
        if (line.empty()) {
            if (first)
                return "the request line is empty";
            break;
        }
        if (std::exchange(first, false))
            continue;
        const auto colon = line.find(':');
        if (line.front() == ' ' || line.front() == '\t')
            return "a header line is folded";
        if (colon == std::string_view::npos || colon == 0)
            return "a header line has no name";
        if (token_length(line) != colon)
            return "a header name holds a character that is not allowed";
    }
    return {};
}

framing_verdict check_framing(std::string_view method, std::string_view target, unsigned version,
                              const std::vector<header_field>& headers) {
    const auto bad = [](std::string reason) { return framing_verdict{400, std::move(reason)}; };
    if (!valid_token(method))
        return bad("the method is malformed");
    if (target.empty() || target.front() != '/')
        return bad("the request target must be a path");
    for (const char c : target)
        if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '#' ||
            c == '\\')
            return bad("the request target holds a character that is not allowed");
    std::size_t hosts = 0, lengths = 0, codings = 0;
    for (const auto& h : headers) {
        if (iequals(h.name, "host")) {
            ++hosts;
            if (!well_formed_host(h.value))
                return bad("the Host header is malformed");
        } else if (iequals(h.name, "content-length")) {
            ++lengths;
            if (h.value.empty() || h.value.size() > 18 ||
                !std::all_of(h.value.begin(), h.value.end(), is_digit))
                return bad("the Content-Length is malformed");
        } else if (iequals(h.name, "transfer-encoding")) {
            ++codings;
            if (!iequals(h.value, "chunked"))
                return {501, "the only transfer coding understood is chunked"};
        }
    }
    if (hosts > 1)
        return bad("there is more than one Host header");
    if (hosts == 0 && version >= 11)
        return bad("the Host header is missing");
    if (lengths > 1 || codings > 1)
        return bad("the length of the body is given twice");
    if (lengths && codings)
        return bad("Content-Length and Transfer-Encoding contradict each other");
    if (codings && version < 11)
        return bad("HTTP/1.0 has no Transfer-Encoding");
    return {};
}

std::string format_response_head(unsigned status, const std::vector<header_field>& headers) {
    const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    std::string out =
        "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason.data(), reason.size()) + "\r\n";
    out += "Date: " + http_date() + "\r\n";
    for (const auto& h : headers) {
        if (!valid_token(h.name) || h.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            throw std::invalid_argument("response header " + h.name + " cannot be sent");
        out += h.name + ": " + h.value + "\r\n";
    }
    return out + "\r\n";
}

} // namespace reauth
