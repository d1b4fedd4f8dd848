// HTTP dates and Retry-After.
#include "core/http/http_date.hpp"

#include "core/text/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string>

namespace reauth {
namespace {

constexpr std::chrono::hours longest_wait{24};

std::optional<std::chrono::seconds> capped(std::chrono::seconds wait) {
    return std::clamp<std::chrono::seconds>(wait, std::chrono::seconds(0), longest_wait);
}

} // namespace

std::string format_http_date(time_point t) {
    const auto seconds = wall_clock::to_time_t(t);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 40> text{};
    const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return {text.data(), size};
}

std::optional<time_point> parse_http_date(std::string_view text) {
    constexpr std::time_t latest = 9'000'000'000; // the year 2255; 64-bit nanoseconds end in 2262
    std::tm parts{};
    const std::string copy(text);
    for (const char* form : {"%a, %d %b %Y %H:%M:%S", "%a, %d-%b-%Y %H:%M:%S", "%a, %d-%b-%y %H:%M:%S",
                             "%A, %d-%b-%y %H:%M:%S", "%a %b %d %H:%M:%S %Y"})
        if (::strptime(copy.c_str(), form, &parts)) {
            if (parts.tm_year < 100 - 1900) // of two digits: the nearest century (RFC 6265 section 5.1.1)
                parts.tm_year += parts.tm_year < 70 - 1900 ? 2000 : 1900;
            return wall_clock::from_time_t(std::clamp<std::time_t>(::timegm(&parts), 0, latest));
        }
    return std::nullopt;
}

std::optional<std::chrono::seconds> retry_after(const http_response& answer, std::optional<time_point> now) {
    const auto field = answer.header("Retry-After");
    if (!field)
        return std::nullopt;
    const auto text = trim_space(*field);
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool whole = end == text.data() + text.size() && !text.empty();
    if (whole && error == std::errc::result_out_of_range)
        return longest_wait;
    if (whole && error == std::errc())
        return capped(std::chrono::seconds(seconds));
    const auto then = parse_http_date(text);
    const auto theirs = parse_http_date(answer.header("Date").value_or(""));
    const auto from = theirs ? theirs : now;
    if (!then || !from)
        return std::nullopt;
    return capped(std::chrono::ceil<std::chrono::seconds>(*then - *from));
}

} // namespace reauth
