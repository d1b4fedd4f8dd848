// The proxy that leads out of a company's network: HTTPS_PROXY and NO_PROXY, and the CONNECT method (RFC 9110
// §9.3.6).
#pragma once

#include "core/base/failure.hpp"
#include "core/base/secret.hpp"
#include "core/text/uri.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Where https connections go through.
struct outbound_proxy {
    std::string host; ///< without brackets
    std::uint16_t port = 0;
    secret authorization;            ///< whole Proxy-Authorization value; empty: none
    std::vector<std::string> except; ///< NO_PROXY: lower-case hosts, with or without port; "*": everything

    /// https only, never loopback, and not what NO_PROXY lists: a host and what is under it, or an address.
    bool applies_to(const http_url& url) const;
};

/// From the variables' values. fault::invalid_configuration if the URL is none that we can go through: http,
/// a host, and maybe user:password.
result<outbound_proxy> parse_outbound_proxy(std::string_view https_proxy, std::string_view no_proxy);

/// The request that opens a tunnel to the URL's host and port. It may hold the proxy's password.
secret connect_request(const outbound_proxy& proxy, std::string_view host, std::uint16_t port);

/// The longest answer that is read to a CONNECT.
inline constexpr std::size_t largest_connect_answer = 16 * 1024;

/// Nothing while the head is not whole. Then the tunnel is open, or the failure
/// (fault::upstream_unreachable, transient) says what the proxy answered.
std::optional<result<void>> read_connect_answer(std::string_view head, const outbound_proxy& proxy);

} // namespace reauth
