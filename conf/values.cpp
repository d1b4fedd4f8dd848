// Durations, sizes, endpoints and networks, from text and back.
#include "conf/values.hpp"

#include "core/text/ascii.hpp"

#include "core/crypto/digest.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

namespace reauth {

namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Splits digits from the unit behind them.
std::pair<std::string_view, std::string_view> split_unit(std::string_view text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto n = static_cast<std::size_t>(end - text.begin());
    auto unit = text.substr(n);
    while (!unit.empty() && unit.front() == ' ')
        unit.remove_prefix(1);
    return {text.substr(0, n), unit};
}

failure clause(std::string text) {
    return failure::permanent(fault::invalid_configuration, std::move(text));
}

} // namespace

std::string absolute_file(const std::string& path) {
    std::error_code ignored;
    return path.empty() ? path : std::filesystem::absolute(path, ignored).lexically_normal().string();
}

std::string scheme_hint(std::string_view url) {
    const auto authority = url.substr(0, url.find('/'));
    const auto host = authority.substr(0, authority.find(':'));
    if (url.find("://") != url.npos || !is_host(host) ||
        (host.find('.') == host.npos && !is_loopback_host(host)))
        return {};
    return ". Write " + std::string(is_loopback_host(host) ? "http://" : "https://") + clean_text(url, 200) +
           ".";
}

std::string name_for_host(std::string_view host) {
    std::string fallback = "upstream";
    if (is_network(host) || host.starts_with('['))
        return fallback;
    std::vector<std::string> labels;
    for (std::size_t at = 0; at <= host.size();) {
        const auto dot = std::min(host.find('.', at), host.size());
        if (dot > at)
            labels.emplace_back(host.substr(at, dot - at));
        at = dot + 1;
    }
    // the last label is the domain's, and so are a country's second ones (co.uk, com.au)
    constexpr std::array<std::string_view, 7> second{"co", "com", "org", "net", "ac", "gov", "edu"};
    const auto is_second = [&](const std::string& l) {
        return std::find(second.begin(), second.end(), l) != second.end();
    };
    std::size_t public_ones = labels.size() > 1 ? 1 : 0;
    if (labels.size() > 2 && labels.back().size() == 2 && is_second(labels[labels.size() - 2]))
        public_ones = 2;
    if (labels.size() <= public_ones)
        return fallback;
    const auto& name = labels[labels.size() - 1 - public_ones];
    const bool plain = std::all_of(name.begin(), name.end(),
                                   [](char c) { return is_ascii_alnum(c) || c == '-' || c == '_'; });
    return plain && name.size() <= 64 ? name : fallback;
}

bool is_own_header(std::string_view lower_name) noexcept {
    constexpr std::array<std::string_view, 12> ours{"host",       "content-length", "transfer-encoding",
                                                    "connection", "keep-alive",     "te",
                                                    "trailer",    "upgrade",        "expect",
                                                    "cookie",     "dpop",           "content-type"};
    return std::find(ours.begin(), ours.end(), lower_name) != ours.end();
}

std::string header_binding(std::vector<std::pair<std::string, std::string>> values) {
    if (values.empty())
        return "-";
    for (auto& [name, value] : values)
        name = ascii_lower(name);
    std::sort(values.begin(), values.end());
    std::string all;
    for (const auto& [name, value] : values)
        all += name + ": " + value + "\n";
    return hex_encode(sha256(all)).substr(0, 32);
}

std::string shell_word(std::string_view text) {
    const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_ascii_alnum(c) || std::string_view("/._-+@").find(c) != std::string_view::npos;
    });
    if (plain)
        return std::string(text);
    std::string quoted = "'";
    for (const char c : text)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string name_for_url(const http_url& url, const std::string& header_binding) {
    auto path = url.path;
    while (path.ends_with('/'))
        path.pop_back();
    const bool usual =
        header_binding == "-" && (path.empty() || path == "/mcp" || path == "/sse") && !url.has_query;
    auto name = name_for_host(url.host);
    if (usual && url.https() && url.authority() == url.host && name != "upstream")
        return name;
    const auto rest = url.origin() + path + (url.has_query ? "?" + url.query : "") +
                      (header_binding == "-" ? "" : " " + header_binding);
    name.resize(std::min<std::size_t>(name.size(), 57)); // names have 64 characters at most
    name += "-" + hex_encode(sha256(rest)).substr(0, 6);
    return name;
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t most) {
    if (text.empty() || text.size() > 18 || !std::all_of(text.begin(), text.end(), is_digit))
        return {};
    std::uint64_t n = 0;
    for (const char c : text)
        n = n * 10 + static_cast<std::uint64_t>(c - '0');
    if (n > most)
        return {};
    return n;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units{
        {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
    constexpr std::uint64_t longest = 366ull * 86'400'000;
    const auto [digits, unit] = split_unit(text);
    for (const auto& [name, factor] : units) {
        if (unit != name)
            continue;
        if (auto n = parse_number(digits, longest / factor))
            return milliseconds(static_cast<milliseconds::rep>(*n * factor));
    }
    return {};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 9> units{{{"", 1},
                                                                               {"B", 1},
                                                                               {"KiB", 1ull << 10},
                                                                               {"MiB", 1ull << 20},
                                                                               {"GiB", 1ull << 30},
                                                                               {"kB", 1000},
                                                                               {"KB", 1000},
                                                                               {"MB", 1'000'000},
                                                                               {"GB", 1'000'000'000}}};
    constexpr std::uint64_t largest = 1ull << 40;
    const auto [digits, unit] = split_unit(text);
    for (const auto& [name, factor] : units) {
        if (unit != name)
            continue;
        if (auto n = parse_number(digits, largest / factor))
            return *n * factor;
    }
    return {};
}

result<endpoint_config> parse_endpoint(std::string_view text) {
    endpoint_config e;
    if (text.starts_with("unix:")) {
        e.unix_path = text.substr(5);
        if (!e.unix_path.starts_with('/'))
            return clause("the path after unix: must be absolute");
        if (e.unix_path.size() > 107)
            return clause("the socket path is longer than the 107 bytes that a Unix socket allows");
        return e;
    }
    const auto colon = text.rfind(':');
    if (colon == text.npos)
        return clause("write HOST:PORT, [IPV6]:PORT or unix:/PATH");
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        in6_addr ignored{};
        if (::inet_pton(AF_INET6, std::string(host).c_str(), &ignored) != 1)
            return clause("what stands in brackets is not an IPv6 address");
    } else if (host.find(':') != host.npos) {
        return clause("an IPv6 address goes into brackets: [::1]:8970");
    } else if (host.empty()) {
        return clause("the host is missing: write 127.0.0.1:PORT");
    } else if (!is_host(host)) {
        return clause("the host has characters that no host name has");
    }
    const auto port = parse_number(text.substr(colon + 1), 65535);
    if (!port)
        return clause("the port must be a number from 0 to 65535");
    e.host = host;
    e.port = static_cast<std::uint16_t>(*port);
    return e;
}

bool is_network(std::string_view text) {
    const auto slash = text.find('/');
    const std::string address(text.substr(0, slash));
    in6_addr ignored{};
    const bool v4 = ::inet_pton(AF_INET, address.c_str(), &ignored) == 1;
    const bool v6 = !v4 && ::inet_pton(AF_INET6, address.c_str(), &ignored) == 1;
    if (!v4 && !v6)
        return false;
    return slash == text.npos || parse_number(text.substr(slash + 1), v4 ? 32 : 128).has_value();
}

bool is_host(std::string_view text) noexcept {
    if (text.empty() || text.size() > 253 || text.front() == '-' || text.front() == '.')
        return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_ascii_alnum(c) || c == '.' || c == '-' || c == '_'; });
}

bool is_http_token(std::string_view text) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return is_ascii_alnum(c) || marks.find(c) != marks.npos;
    });
}

std::string environment_name(std::string_view key) {
    std::string name = "MCP_REAUTH_";
    for (const char c : key)
        name += is_ascii_alnum(c) ? (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c) : '_';
    return name;
}

bool endpoint_config::loopback() const {
    return !unix_path.empty() || is_loopback_host(host);
}

std::string endpoint_config::to_string() const {
    if (!unix_path.empty())
        return "unix:" + unix_path;
    const bool v6 = host.find(':') != host.npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

} // namespace reauth
