// Which hosts go through the proxy, and what is said to it.
#include "core/http/outbound_proxy.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>

namespace reauth {

namespace {

failure unusable(const std::string& why) {
    return failure::permanent(fault::invalid_configuration, "HTTPS_PROXY " + why,
                              "set it to http://HOST:PORT, or unset it");
}

std::vector<std::string> items(std::string_view list) {
    std::vector<std::string> out;
    while (!list.empty()) {
        const auto end = list.find_first_of(", \t");
        auto one = ascii_lower(list.substr(0, end));
        if (one.starts_with("*."))
            one.erase(0, 1);
        if (!one.empty())
            out.push_back(std::move(one));
        list = end == list.npos ? std::string_view{} : list.substr(end + 1);
    }
    return out;
}

std::string bracketed(std::string_view host) {
    return host.find(':') != host.npos && !host.starts_with('[') ? "[" + std::string(host) + "]"
                                                                 : std::string(host);
}

bool excepts(const std::string& entry, const http_url& url) {
    if (entry == "*" || entry == url.host || bracketed(entry) == url.host ||
        entry == url.host + ":" + std::to_string(url.port))
        return true;
    const auto under = entry.starts_with('.') ? entry : "." + entry;
    return url.host.ends_with(under) || "." + url.host == under;
}

} // namespace

bool outbound_proxy::applies_to(const http_url& url) const {
    return url.https() && !url.loopback() &&
           std::none_of(except.begin(), except.end(), [&](const auto& e) { return excepts(e, url); });
}

result<outbound_proxy> parse_outbound_proxy(std::string_view https_proxy, std::string_view no_proxy) {
    std::string text(trim_space(https_proxy));
    if (text.find("://") == text.npos)
        text = "http://" + text;
    const auto scheme_end = text.find("://") + 3;
    const auto authority_end = std::min(text.find_first_of("/?#", scheme_end), text.size());
    const auto at = text.rfind('@', authority_end);
    std::string user;
    if (at != text.npos && at >= scheme_end && at < authority_end) {
        user = text.substr(scheme_end, at - scheme_end);
        text.erase(scheme_end, at + 1 - scheme_end);
    }
    const auto url = parse_http_url(text, "HTTPS_PROXY");
    if (!url)
        return unusable("is no URL that can be used: " + url.error().message);
    if (url->https())
        return unusable("names an https proxy, which is not supported");
    outbound_proxy out;
    out.host = url->host;
    if (out.host.starts_with('['))
        out.host = out.host.substr(1, out.host.size() - 2);
    out.port = url->port;
    out.except = items(no_proxy);
    if (!user.empty()) {
        const auto colon = user.find(':');
        const auto name = percent_decode(user.substr(0, colon), false);
        const auto password = percent_decode(colon == user.npos ? "" : user.substr(colon + 1), false);
        if (!name || !password)
            return unusable("has a user name or password that is not percent-encoded");
        out.authorization = secret{"Basic " + base64_encode(*name + ":" + *password)};
    }
    return out;
}

secret connect_request(const outbound_proxy& proxy, std::string_view host, std::uint16_t port) {
    const auto authority = bracketed(host) + ":" + std::to_string(port);
    std::string out = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
    if (!proxy.authorization.empty())
        out.append("Proxy-Authorization: ").append(proxy.authorization.reveal()).append("\r\n");
    return secret{out + "\r\n"};
}

std::optional<result<void>> read_connect_answer(std::string_view head, const outbound_proxy& proxy) {
    const auto name = "the outbound proxy " + bracketed(proxy.host) + ":" + std::to_string(proxy.port);
    const auto refuse = [&](std::string message, std::string fix) -> std::optional<result<void>> {
        return result<void>(
            failure::passing(fault::upstream_unreachable, std::move(message), std::move(fix)));
    };
    constexpr std::string_view start = "HTTP/1.";
    if (head.substr(0, start.size()) != start.substr(0, head.size()))
        return refuse(name + " does not speak HTTP", "check HTTPS_PROXY");
    if (head.find("\r\n\r\n") == head.npos) {
        if (head.size() < largest_connect_answer)
            return std::nullopt;
        return refuse(name + " answered with an endless head", "check HTTPS_PROXY");
    }
    const auto line = head.substr(0, head.find("\r\n"));
    const auto status = line.size() >= 12 ? line.substr(9, 3) : std::string_view{};
    if (status.starts_with('2'))
        return result<void>{};
    return refuse(name + " refused the connection: " +
                      clean_text(line.substr(std::min<std::size_t>(9, line.size())), 60),
                  status == "407" ? "put its user name and password into HTTPS_PROXY"
                                  : "have it let this host through, or list the host in NO_PROXY");
}

} // namespace reauth
