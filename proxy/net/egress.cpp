// Address classes and the one decision that is made with them.
#include "proxy/net/egress.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace reauth {

namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct v4_block {
    std::uint32_t network;
    unsigned bits;
    address_kind kind;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array v4_blocks{
    v4_block{v4(0, 0, 0, 0), 8, address_kind::unspecified},
    v4_block{v4(10, 0, 0, 0), 8, address_kind::private_use},
    v4_block{v4(100, 64, 0, 0), 10, address_kind::shared},
    v4_block{v4(127, 0, 0, 0), 8, address_kind::loopback},
    v4_block{v4(169, 254, 0, 0), 16, address_kind::link_local},
    v4_block{v4(172, 16, 0, 0), 12, address_kind::private_use},
    v4_block{v4(192, 0, 0, 0), 24, address_kind::reserved},
    v4_block{v4(192, 0, 2, 0), 24, address_kind::reserved},
    v4_block{v4(192, 88, 99, 0), 24, address_kind::reserved},
    v4_block{v4(192, 168, 0, 0), 16, address_kind::private_use},
    v4_block{v4(198, 18, 0, 0), 15, address_kind::reserved},
    v4_block{v4(198, 51, 100, 0), 24, address_kind::reserved},
    v4_block{v4(203, 0, 113, 0), 24, address_kind::reserved},
    v4_block{v4(224, 0, 0, 0), 4, address_kind::multicast},
    v4_block{v4(240, 0, 0, 0), 4, address_kind::reserved},
};

address_kind classify_v4(address_v4 a) {
    const std::uint32_t value = a.to_uint();
    for (const auto& block : v4_blocks)
        if ((value ^ block.network) >> (32 - block.bits) == 0)
            return block.kind;
    return address_kind::global;
}

address_v4 embedded(const address_v6::bytes_type& b, std::size_t at) {
    return address_v4(address_v4::bytes_type{b[at], b[at + 1], b[at + 2], b[at + 3]});
}

bool starts_with(const address_v6::bytes_type& b, std::initializer_list<unsigned char> prefix) {
    return std::equal(prefix.begin(), prefix.end(), b.begin());
}

address_kind classify_v6(const address_v6& a) {
    const auto b = a.to_bytes();
    if (a.is_unspecified())
        return address_kind::unspecified;
    if (a.is_loopback())
        return address_kind::loopback;
    if (a.is_v4_mapped())
        return classify_v4(embedded(b, 12));
    if (starts_with(b, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))
        return classify_v4(embedded(b, 12));
    if (starts_with(b, {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}))
        return address_kind::private_use;
    if (starts_with(b, {0x20, 0x02}))
        return classify_v4(embedded(b, 2));
    if (b[0] == 0xff)
        return address_kind::multicast;
    if ((b[0] & 0xfe) == 0xfc)
        return address_kind::private_use;
    if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
        return address_kind::link_local;
    if (b[0] == 0xfe && (b[1] & 0xc0) == 0xc0)
        return address_kind::private_use;
    const bool teredo = starts_with(b, {0x20, 0x01, 0x00, 0x00});
    const bool benchmark = starts_with(b, {0x20, 0x01, 0x00, 0x02, 0x00, 0x00});
    const bool orchid = starts_with(b, {0x20, 0x01, 0x00}) && (b[3] & 0xe0) == 0x20;
    const bool documentation =
        starts_with(b, {0x20, 0x01, 0x0d, 0xb8}) || (b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10);
    const bool global_unicast = (b[0] & 0xe0) == 0x20;
    return !global_unicast || teredo || benchmark || orchid || documentation ? address_kind::reserved
                                                                             : address_kind::global;
}

/// Mapped IPv4 is IPv4: else `egress.allow: [10.0.0.0/8]` would not cover ::ffff:10.0.0.1.
address unmapped(const address& a) {
    if (a.is_v6() && a.to_v6().is_v4_mapped())
        return embedded(a.to_v6().to_bytes(), 12);
    return a;
}

std::string plain_host(std::string_view host) {
    if (!host.empty() && host.back() == '.')
        host.remove_suffix(1);
    std::string out(host);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

bool looks_like_host(std::string_view entry) {
    return !entry.empty() && std::all_of(entry.begin(), entry.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '[' || c == ']';
    });
}

failure refused(std::string message, std::string fix) {
    return failure::permanent(fault::egress_refused, std::move(message), std::move(fix));
}

} // namespace

std::string_view to_string(address_kind kind) noexcept {
    switch (kind) {
    case address_kind::global:
        return "global";
    case address_kind::loopback:
        return "loopback";
    case address_kind::private_use:
        return "private";
    case address_kind::link_local:
        return "link-local";
    case address_kind::shared:
        return "carrier-grade NAT";
    case address_kind::multicast:
        return "multicast";
    case address_kind::unspecified:
        return "unspecified";
    case address_kind::reserved:
        return "reserved";
    }
    return "unknown";
}

address_kind classify(const address& a) {
    return a.is_v4() ? classify_v4(a.to_v4()) : classify_v6(a.to_v6());
}

result<egress_rules> egress_rules::parse(const std::vector<std::string>& allow) {
    egress_rules rules;
    for (const auto& entry : allow) {
        boost::system::error_code wrong;
        if (const auto single = boost::asio::ip::make_address(entry, wrong); !wrong) {
            if (single.is_v4())
                rules.v4_.emplace_back(single.to_v4(), 32);
            else
                rules.v6_.emplace_back(single.to_v6(), 128);
        } else if (const auto net4 = boost::asio::ip::make_network_v4(entry, wrong); !wrong) {
            rules.v4_.push_back(net4.canonical());
        } else if (const auto net6 = boost::asio::ip::make_network_v6(entry, wrong); !wrong) {
            rules.v6_.push_back(net6.canonical());
        } else if (looks_like_host(entry)) {
            rules.hosts_.push_back(entry);
        } else {
            return failure::permanent(fault::invalid_configuration,
                                      "`egress.allow` has \"" + entry +
                                          "\", which is neither a network nor a host name",
                                      "write e.g. 10.0.0.0/8, fd00::/8 or idp.corp.example");
        }
    }
    return rules;
}

bool egress_rules::allows(const address& candidate) const {
    const auto a = unmapped(candidate);
    if (a.is_v4())
        return std::any_of(v4_.begin(), v4_.end(), [&](const auto& net) {
            return boost::asio::ip::network_v4(a.to_v4(), net.prefix_length()).network() == net.network();
        });
    return std::any_of(v6_.begin(), v6_.end(), [&](const auto& net) {
        return boost::asio::ip::network_v6(a.to_v6(), net.prefix_length()).network() == net.network();
    });
}

bool egress_rules::allows_host(const http_url& url) const {
    return std::any_of(hosts_.begin(), hosts_.end(),
                       [&](const auto& entry) { return names_host(entry, url); });
}

bool names_host(std::string_view entry, const http_url& url) {
    const auto wanted = plain_host(url.host);
    const auto colon = entry.rfind(':');
    const bool bare_v6 = !entry.starts_with('[') && entry.find(':') != colon;
    const bool has_port = colon != std::string_view::npos && !bare_v6 && !entry.ends_with(']');
    const auto host = has_port ? entry.substr(0, colon) : entry;
    if (has_port && entry.substr(colon + 1) != std::to_string(url.port))
        return false;
    return plain_host(host) == wanted || (bare_v6 && "[" + plain_host(host) + "]" == wanted);
}

result<void> check_egress_url(const http_url& url, plain_http http) {
    if (!url.https() && !url.loopback() && http == plain_http::on_loopback)
        return refused(
            "plain http to " + url.authority() + " is refused: tokens and keys would travel unprotected",
            "use an https URL; in a network that you trust, set `allow_http: true` for the upstream");
    return {};
}

result<void> check_egress(const egress_rules& rules, const http_url& url, const address& candidate,
                          const trusted_egress& trusted) {
    auto sound = check_egress_url(url, trusted.http);
    if (!sound)
        return sound;
    const auto kind = classify(candidate);
    if (kind == address_kind::loopback && url.loopback())
        return {};
    const bool chosen = rules.allows_host(url) || rules.allows(candidate) ||
                        std::any_of(trusted.hosts.begin(), trusted.hosts.end(),
                                    [&](const auto& h) { return names_host(h, url); });
    const bool http_allowed = chosen && trusted.http == plain_http::allowed;
    if (!url.https() && !http_allowed)
        return refused(
            "plain http to " + url.authority() + " is refused: it resolves to " + candidate.to_string() +
                ", which is not a loopback address",
            trusted.http == plain_http::allowed
                ? "if that network is trusted, add the host to the configuration: `egress: {allow: [" +
                      url.host + "]}`"
                : "use an https URL");
    if (kind == address_kind::global || chosen)
        return {};
    return refused("the host " + url.authority() + " has the " + std::string(to_string(kind)) + " address " +
                       candidate.to_string() + ", which is off limits",
                   "if this is right, add the host to the configuration: `egress: {allow: [" + url.host +
                       "]}`");
}

} // namespace reauth
