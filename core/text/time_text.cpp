// By the C library's calendar.
#include "core/text/time_text.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace reauth {
namespace {

std::string date_and_time(time_point t) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
    const auto count = wall_clock::to_time_t(seconds);
    std::tm utc{};
    gmtime_r(&count, &utc);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    return {text.data(), size};
}

} // namespace

std::string rfc3339(time_point t) {
    return date_and_time(t) + "Z";
}

std::string rfc3339_ms(time_point t) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(t);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t - whole).count();
    std::array<char, 8> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(ms));
    return date_and_time(t) + fraction.data();
}

std::optional<time_point> parse_rfc3339(std::string_view text) {
    const std::string copy(text);
    std::tm utc{};
    const char* rest = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
    if (!rest)
        return std::nullopt;
    // the clock counts nanoseconds and ends in 2262
    const auto seconds = ::timegm(&utc);
    if (seconds < 0)
        return std::nullopt;
    if (seconds >= wall_clock::to_time_t(time_point::max()))
        return time_point::max();
    auto at = wall_clock::from_time_t(seconds);
    if (*rest == '.') {
        long scale = 100'000;
        for (++rest; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10)
            at += std::chrono::microseconds((*rest - '0') * scale);
    }
    if (std::string_view(rest) == "Z" || std::string_view(rest) == "z")
        return at;
    int hours = 0, minutes = 0;
    char sign = 0;
    int read = 0;
    if (std::sscanf(rest, "%c%2d:%2d%n", &sign, &hours, &minutes, &read) != 3 ||
        static_cast<std::size_t>(read) != std::string_view(rest).size() || (sign != '+' && sign != '-'))
        return std::nullopt;
    const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    return sign == '+' ? at - offset : at + offset;
}

} // namespace reauth
