// The egress rules: which addresses metadata, token, registration and JWKS requests may reach. Pure
// functions.
#pragma once

#include "core/base/failure.hpp"
#include "core/text/uri.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// What an address is, by the IANA special-purpose registries (RFC 6890). Only `global` is everybody's to
/// reach.
enum class address_kind {
    global,
    loopback,
    private_use, ///< RFC 1918, RFC 4193, site-local, local NAT64 (RFC 8215)
    link_local,  ///< where cloud metadata services live
    shared,      ///< carrier-grade NAT, RFC 6598
    multicast,
    unspecified, ///< "this host": on many systems another loopback
    reserved,    ///< documentation, benchmarks, tunnels, everything unassigned
};
std::string_view to_string(address_kind kind) noexcept;

/// Classifies; IPv4 that is wrapped in IPv6 (mapped, NAT64 RFC 6052, 6to4 RFC 3056) counts as what is inside.
address_kind classify(const boost::asio::ip::address& address);

/// `egress.allow`, parsed.
class egress_rules {
public:
    egress_rules() = default;
    /// CIDR networks, single addresses, or host names ("host" or "host:port"). fault::invalid_configuration
    /// names the entry that is none of them.
    static result<egress_rules> parse(const std::vector<std::string>& allow);

    bool allows(const boost::asio::ip::address& address) const;
    bool allows_host(const http_url& url) const;

private:
    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
    std::vector<std::string> hosts_;
};

/// True if `entry` ("host" or "host:port") names the host of `url`, without regard to case or a final dot.
bool names_host(std::string_view entry, const http_url& url);

/// Hosts that are the operator's own choice.
struct trusted_egress {
    std::vector<std::string> hosts;            ///< "host" or "host:port": the upstream's own
    plain_http http = plain_http::on_loopback; ///< allowed: to them, and to what `egress.allow` names
};

/// Checks what can be said before a name is resolved: plain http only to a loopback name or literal, unless
/// it is allowed. fault::egress_refused.
result<void> check_egress_url(const http_url& url, plain_http http = plain_http::on_loopback);

/// Checks one resolved address of the URL's host. A loopback address is for loopback names and literals; it,
/// and any other address that is not global, is for everyone else only if the host is in `trusted.hosts` or
/// `egress.allow`, or the address in `egress.allow`. Plain http goes to loopback only; where it is allowed,
/// to such hosts and addresses too. fault::egress_refused.
result<void> check_egress(const egress_rules& rules, const http_url& url,
                          const boost::asio::ip::address& address, const trusted_egress& trusted);

} // namespace reauth
