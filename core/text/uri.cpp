// URL checks on top of Boost.URL's grammar.
#include "core/text/uri.hpp"

#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"

#include <boost/url.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace reauth {

namespace {

constexpr std::size_t max_url = 4096;

failure refuse(std::string_view what, std::string_view why) {
    return failure::permanent(fault::discovery_failed, std::string(what) + " " + std::string(why));
}

std::string_view view(boost::core::string_view s) {
    return {s.data(), s.size()};
}

// Path segments without a trailing empty one; nothing if one could climb or hide a slash.
std::optional<std::vector<std::string_view>> plain_segments(std::string_view path) {
    std::vector<std::string_view> out;
    if (path.starts_with('/'))
        path.remove_prefix(1);
    while (!path.empty()) {
        const auto end = path.find('/');
        const auto segment = path.substr(0, end);
        path = end == std::string_view::npos ? std::string_view{} : path.substr(end + 1);
        const auto decoded = percent_decode(segment, false);
        if (!decoded || *decoded == "." || *decoded == ".." ||
            decoded->find_first_of("/\\") != std::string::npos)
            return std::nullopt;
        out.push_back(segment);
    }
    return out;
}

} // namespace

std::string http_url::authority() const {
    const bool standard = port == (https() ? 443 : 80);
    return standard ? host : host + ":" + std::to_string(port);
}

std::string http_url::origin() const {
    return scheme + "://" + authority();
}

std::string http_url::target() const {
    std::string out = path.empty() ? "/" : path;
    if (has_query)
        out += "?" + query;
    return out;
}

bool http_url::loopback() const noexcept {
    return is_loopback_host(host);
}

result<http_url> parse_http_url(std::string_view text, std::string_view what) {
    if (text.empty())
        return refuse(what, "is empty");
    if (text.size() > max_url)
        return refuse(what, "is longer than 4096 bytes");
    const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
    if (parsed.has_error())
        return refuse(what, "is not an absolute URL");
    const boost::urls::url_view& u = parsed.value();
    http_url out;
    out.scheme = ascii_lower(view(u.scheme()));
    if (out.scheme != "http" && out.scheme != "https")
        return refuse(what, "is neither http nor https");
    if (!u.has_authority() || view(u.encoded_host()).empty())
        return refuse(what, "has no host");
    if (u.has_userinfo())
        return refuse(what, "has a user name in it");
    if (u.has_fragment())
        return refuse(what, "has a fragment");
    out.host = ascii_lower(view(u.encoded_host()));
    out.port = out.https() ? 443 : 80;
    if (u.has_port() && !view(u.port()).empty()) {
        // Boost.URL takes any run of digits for a port
        const auto digits = view(u.port());
        const auto [_, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
        if (error != std::errc{} || out.port == 0)
            return refuse(what, "has an impossible port");
    }
    out.path = view(u.encoded_path());
    // Boost.URL ends the port at the last digit: host:80.evil.example is no host with a path
    if (!out.path.empty() && out.path.front() != '/')
        return refuse(what, "has an impossible port");
    out.has_query = u.has_query();
    out.query = view(u.encoded_query());
    return out;
}

result<http_url> parse_secure_url(std::string_view text, std::string_view what, plain_http http) {
    auto out = parse_http_url(text, what);
    if (out && !out->https() && !out->loopback() && http == plain_http::on_loopback) {
        auto f = refuse(what, "is http and not on loopback, so secrets would travel in the clear");
        f.fix = "the server must offer it over https; in a network that you trust, `allow_http: true` of the "
                "upstream";
        return f;
    }
    return out;
}

result<http_url> resolve_reference(std::string_view base_text, std::string_view reference) {
    const auto base = boost::urls::parse_uri(boost::core::string_view(base_text.data(), base_text.size()));
    const auto to =
        boost::urls::parse_uri_reference(boost::core::string_view(reference.data(), reference.size()));
    boost::urls::url target;
    if (base.has_error() || to.has_error() || boost::urls::resolve(*base, *to, target).has_error())
        return refuse("the redirect target", "is not a URL");
    target.remove_fragment();
    const auto text = target.buffer();
    auto out = parse_http_url({text.data(), text.size()}, "the redirect target");
    // RFC 3986 §5.2.4: what leads above the root leads to it
    while (out && (out->path == "/.." || out->path.starts_with("/../")))
        out->path.erase(0, 3);
    return out;
}

bool is_loopback_host(std::string_view host) noexcept {
    if (host == "::1" || host == "[::1]")
        return true;
    if (host.ends_with('.'))
        host.remove_suffix(1);
    constexpr std::string_view name = "localhost";
    if (host.size() >= name.size() && iequals(host.substr(host.size() - name.size()), name))
        return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
    int parts = 0;
    bool loopback = true;
    // four decimal parts: 127.example.com is a name
    while (true) {
        const auto end = host.find('.');
        const auto part = host.substr(0, end);
        if (part.empty() || part.size() > 3 || part.find_first_not_of("0123456789") != std::string_view::npos)
            return false;
        loopback = loopback && (parts > 0 || part == "127");
        ++parts;
        if (end == std::string_view::npos)
            break;
        host.remove_prefix(end + 1);
    }
    return loopback && parts == 4;
}

bool same_origin(const http_url& a, const http_url& b) noexcept {
    return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

bool same_origin(std::string_view a, std::string_view b) {
    const auto x = parse_http_url(a);
    const auto y = parse_http_url(b);
    return x && y && same_origin(*x, *y);
}

std::string origin_of(std::string_view url) {
    const auto parsed = parse_http_url(url);
    return parsed ? parsed->origin() : std::string{};
}

std::string authority_of(std::string_view url) {
    const auto parsed = parse_http_url(url);
    return parsed ? parsed->authority() : std::string();
}

std::string host_of(std::string_view url) {
    const auto parsed = parse_http_url(url);
    return parsed ? parsed->host : std::string{};
}

bool resource_covers(std::string_view resource, std::string_view upstream_url) {
    const auto named = parse_http_url(resource);
    const auto called = parse_http_url(upstream_url);
    if (!named || !called || !same_origin(*named, *called))
        return false;
    if (named->has_query && named->query != called->query)
        return false;
    const auto prefix = plain_segments(named->path);
    const auto path = plain_segments(called->path);
    if (!prefix || !path || prefix->size() > path->size())
        return false;
    return std::equal(prefix->begin(), prefix->end(), path->begin());
}

void append_query(std::string& url, std::string_view name, std::string_view value) {
    const auto mark = url.find('?');
    if (mark == std::string::npos)
        url += '?';
    else if (mark + 1 != url.size() && url.back() != '&')
        url += '&';
    url += percent_encode(name);
    url += '=';
    url += percent_encode(value);
}

std::string without_query(std::string_view url) {
    return std::string(url.substr(0, url.find_first_of("?#")));
}

} // namespace reauth
