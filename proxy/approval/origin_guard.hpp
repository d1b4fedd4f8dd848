// Who may talk to the approval listener from a browser: Host, Origin and Sec-Fetch headers judged. Pure.
#pragma once

#include "proxy/net/http_service.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// What kind of route a request goes to; each kind has its own rule.
enum class route_kind {
    page,     ///< GET of a document: a link on any site may lead here, but not a frame, script or fetch
    callback, ///< GET /oauth/callback: the provider's site leads here; `state` and the cookie guard it
    asset,    ///< style, script, icon
    action,   ///< a form of ours or the API: same origin, or no browser at all
};

/// Knows which hosts and origins are ours.
class origin_guard {
public:
    /// `host` and `port` are what the listener is bound to, `public_url` how people reach it (may be empty).
    /// A loopback or wildcard address is also ours as localhost, 127.0.0.1 and [::1] with the same port.
    origin_guard(const std::string& host, std::uint16_t port, const std::string& public_url, bool tls);

    /// Why the request is refused (403), or nothing.
    std::optional<std::string> refuse(const service_request& request, route_kind kind) const;

private:
    bool our_host(std::string_view host) const;
    bool our_origin(std::string_view origin, std::string_view host) const;

    std::vector<std::string> hosts_;
    std::string public_origin_, scheme_;
};

} // namespace reauth
