// Host, Origin and Sec-Fetch rules of the approval listener.
#include "proxy/approval/origin_guard.hpp"

#include "core/text/ascii.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

origin_guard::origin_guard(const std::string& host, std::uint16_t port, const std::string& public_url,
                           bool tls)
    : public_origin_(origin_of(public_url)), scheme_(tls ? "https://" : "http://") {
    const auto add = [&](const std::string& name) {
        hosts_.push_back(name + ":" + std::to_string(port));
        if (port == (tls ? 443 : 80))
            hosts_.push_back(name);
    };
    const auto bracketed =
        host.find(':') == std::string::npos || host.front() == '[' ? host : "[" + host + "]";
    add(ascii_lower(bracketed));
    if (is_loopback_host(host) || host == "0.0.0.0" || host == "::")
        for (const auto* name : {"localhost", "127.0.0.1", "[::1]"})
            add(name);
    if (auto url = parse_http_url(public_url)) {
        hosts_.push_back(url->authority());
        hosts_.push_back(url->host + ":" + std::to_string(url->port));
    }
}

bool origin_guard::our_host(std::string_view host) const {
    return std::find(hosts_.begin(), hosts_.end(), ascii_lower(host)) != hosts_.end();
}

bool origin_guard::our_origin(std::string_view origin, std::string_view host) const {
    // A gateway may rewrite Host but not Origin, so the public origin is always ours. Any other has to be the
    // very host the request came to: localhost and 127.0.0.1 are two origins to a browser.
    return (!public_origin_.empty() && origin == public_origin_) || origin == scheme_ + ascii_lower(host);
}

std::optional<std::string> origin_guard::refuse(const service_request& request, route_kind kind) const {
    const auto host = request.header("host");
    if (!host || !our_host(*host))
        return "This address is not served here: the Host header names another host.";
    if (kind == route_kind::callback)
        return {};
    const auto origin = request.header("origin");
    if (origin && !our_origin(*origin, *host))
        return "The request comes from another origin.";
    const auto site = request.header("sec-fetch-site");
    if (!site || *site == "same-origin")
        return {};
    const bool safe = request.method == "GET" || request.method == "HEAD";
    if (*site == "none" && safe)
        return {};
    const auto mode = request.header("sec-fetch-mode");
    const auto dest = request.header("sec-fetch-dest");
    if (kind == route_kind::page && safe && (!mode || *mode == "navigate") && (!dest || *dest == "document"))
        return {};
    return "The request was made by another site.";
}

} // namespace reauth
