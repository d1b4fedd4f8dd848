// Set-Cookie read (RFC 6265 section 5.2), cookies chosen (section 5.4).
#include "core/http/cookie_jar.hpp"

#include "core/http/http_date.hpp"
#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace reauth {

namespace {

std::string_view directory_of(std::string_view path) {
    path = path.substr(0, path.find('?'));
    const auto slash = path.rfind('/');
    return slash == path.npos || slash == 0 ? std::string_view("/") : path.substr(0, slash);
}

bool path_matches(std::string_view request, std::string_view cookie) {
    request = request.substr(0, request.find('?'));
    return request == cookie || (request.starts_with(cookie) &&
                                 (cookie.ends_with('/') || request.substr(cookie.size()).starts_with('/')));
}

bool domain_matches(std::string_view host, std::string_view domain) {
    if (domain.starts_with('.'))
        domain.remove_prefix(1);
    if (iequals(host, domain))
        return true;
    return domain.find('.') != domain.npos && host.size() > domain.size() &&
           host[host.size() - domain.size() - 1] == '.' &&
           iequals(host.substr(host.size() - domain.size()), domain);
}

std::optional<time_point> after_seconds(std::string_view text, time_point now) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (end != text.data() + text.size())
        return std::nullopt;
    constexpr std::int64_t longest = 400LL * 24 * 3600; // as browsers cap it
    if (error == std::errc::result_out_of_range)
        seconds = text.starts_with('-') ? -1 : longest;
    return now + std::chrono::seconds(std::clamp<std::int64_t>(seconds, -1, longest));
}

} // namespace

void cookie_jar::take(std::string_view line, std::string_view host, std::string_view path, time_point now) {
    if (line.size() > largest_cookie)
        return;
    const auto pair = line.substr(0, line.find(';'));
    const auto equals = pair.find('=');
    if (equals == pair.npos || trim_ows(pair.substr(0, equals)).empty())
        return;
    cookie fresh;
    fresh.name = trim_ows(pair.substr(0, equals));
    fresh.value = secret(std::string(trim_ows(pair.substr(equals + 1))));
    fresh.path = directory_of(path);
    if (!valid_field_value(fresh.name) || !valid_field_value(fresh.value.reveal()))
        return;
    bool max_age = false;
    for (auto rest = line.substr(pair.size()); !rest.empty();) {
        rest.remove_prefix(1);
        const auto item = rest.substr(0, rest.find(';'));
        rest.remove_prefix(item.size());
        const auto mark = item.find('=');
        const auto name = trim_ows(item.substr(0, mark));
        const auto value = mark == item.npos ? std::string_view{} : trim_ows(item.substr(mark + 1));
        if (iequals(name, "domain") && !value.empty() && !domain_matches(host, value))
            return;
        if (iequals(name, "path") && value.starts_with('/'))
            fresh.path = value;
        if (iequals(name, "max-age")) {
            fresh.expires_at = after_seconds(value, now);
            max_age = fresh.expires_at.has_value();
        } else if (iequals(name, "expires") && !max_age) {
            fresh.expires_at = parse_http_date(value);
        }
    }
    std::erase_if(cookies_, [&](const cookie& c) {
        return (c.name == fresh.name && c.path == fresh.path) || (c.expires_at && *c.expires_at <= now);
    });
    if (fresh.expires_at && *fresh.expires_at <= now)
        return;
    if (cookies_.size() == most_cookies)
        cookies_.erase(cookies_.begin());
    cookies_.push_back(std::move(fresh));
}

std::string cookie_jar::header_for(std::string_view path, time_point now) const {
    std::vector<const cookie*> chosen;
    for (const auto& c : cookies_)
        if (path_matches(path, c.path) && !(c.expires_at && *c.expires_at <= now))
            chosen.push_back(&c);
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const auto* a, const auto* b) { return a->path.size() > b->path.size(); });
    std::string out;
    for (const auto* c : chosen)
        out.append(out.empty() ? "" : "; ").append(c->name).append(1, '=').append(c->value.reveal());
    return out;
}

} // namespace reauth
