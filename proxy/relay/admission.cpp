// The checks in their order; the first that fails answers.
#include "proxy/relay/admission.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>
#include <charconv>

namespace reauth {
namespace {

/// Splits host[:port]; IPv6 keeps its brackets.
void split_authority(std::string_view authority, std::string_view& host, std::string_view& port) noexcept {
    auto colon = authority.rfind(':');
    auto bracket = authority.rfind(']');
    if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
        host = authority;
        port = {};
        return;
    }
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
}

bool is_address_literal(std::string_view host) noexcept {
    return (!host.empty() && host[0] == '[') ||
           std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

/// A page of the very address that it calls is of no foreign origin. (A page on a Unix socket does not exist;
/// an address literal alone proves nothing, the same port may be open elsewhere.)
bool own_origin(std::string_view origin, std::string_view host, bool tls,
                const listener_identity& listener) noexcept {
    const std::string_view scheme = tls ? "https://" : "http://";
    return listener.port != 0 && origin.starts_with(scheme) && iequals(origin.substr(scheme.size()), host);
}

} // namespace

bool names_us(std::string_view authority, const std::vector<std::string>& allowed_hosts, bool tls,
              const listener_identity& listener) noexcept {
    std::string_view host, port;
    split_authority(authority, host, port);
    for (const auto& allowed : allowed_hosts)
        if (iequals(allowed, authority) || iequals(allowed, host))
            return true;
    if (listener.port == 0)
        return true; // a Unix socket can't be reached by a browser
    if (host.empty())
        return false; // HTTP/1.0 may leave it away
    unsigned number = 0;
    if (port.empty())
        number = tls ? 443 : 80;
    else if (auto read = std::from_chars(port.data(), port.data() + port.size(), number);
             read.ec != std::errc{} || read.ptr != port.data() + port.size())
        return false;
    if (number != listener.port)
        return false;
    if (iequals(host, "localhost") || host == "127.0.0.1" || host == "[::1]")
        return true;
    // a rebinding attack needs a name; an address literal is what the person typed
    if (listener.any_address)
        return is_address_literal(host);
    std::string_view bound_host, bound_port;
    split_authority(listener.address, bound_host, bound_port);
    return iequals(host, bound_host);
}

admission admit(const request_head& head, const config& settings, const listener_identity& listener) {
    const auto host = head.value(field_id::host);
    const bool tls = settings.tls.has_value();
    if (!names_us(host, settings.allowed_hosts, tls, listener))
        return {403, "this Host is not ours: add it to allowed_hosts if it is meant"};
    bool allowed_origin = false;
    if (const auto* origin = head.find(field_id::origin)) {
        allowed_origin = own_origin(origin->value, host, tls, listener);
        for (const auto& allowed : settings.allowed_origins)
            allowed_origin = allowed_origin || allowed == origin->value;
        if (!allowed_origin)
            return {403,
                    "requests from web pages are refused: add the page's origin to allowed_origins if it is "
                    "meant"};
    }
    if (auto site = head.value(field_id::sec_fetch_site);
        !allowed_origin && (site == "cross-site" || site == "same-site"))
        return {403, "cross-site requests are refused"};
    return {};
}

} // namespace reauth
