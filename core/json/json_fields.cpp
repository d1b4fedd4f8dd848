// Foreign JSON, read without trust.
#include "core/json/json_fields.hpp"

#include "core/json/json_reader.hpp"
#include "core/json/json_repair.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace reauth {

namespace {

constexpr std::size_t max_list = 256;
constexpr json_bounds repaired_document{6 * small_document.bytes, small_document.depth,
                                        small_document.values};

} // namespace

std::optional<nlohmann::json> parse_json_object(std::string_view text) {
    auto out = read_json(text);
    if (!out && text.size() <= small_document.bytes) // what is escaped is longer
        out = read_json(repair_json(text), repaired_document);
    if (out && !out->is_object())
        out.reset();
    return out;
}

std::string json_string(const nlohmann::json& object, const char* name) {
    const auto it = object.find(name);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string{};
}

bool json_bool(const nlohmann::json& object, const char* name) {
    const auto it = object.find(name);
    return it != object.end() && it->is_boolean() && it->get<bool>();
}

std::optional<std::int64_t> json_integer(const nlohmann::json& object, const char* name) {
    const auto it = object.find(name);
    if (it == object.end())
        return std::nullopt;
    if (it->is_number_unsigned() && it->get<std::uint64_t>() > INT64_MAX)
        return std::nullopt;
    if (it->is_number_integer())
        return it->get<std::int64_t>();
    if (it->is_number_float()) {
        const double value = it->get<double>();
        // past 2^53 a double is no exact integer, and a cast may overflow
        if (!(std::fabs(value) <= 9007199254740992.0))
            return std::nullopt;
        return static_cast<std::int64_t>(value);
    }
    if (!it->is_string())
        return std::nullopt;
    const auto& text = it->get_ref<const std::string&>();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::optional<std::chrono::system_clock::time_point> json_time(const nlohmann::json& object, const char* name,
                                                               std::int64_t per_second) {
    // the year 2255; int64 nanoseconds end in 2262
    constexpr std::int64_t latest = 9'000'000'000;
    const auto value = json_integer(object, name);
    if (!value || *value / per_second > latest || *value / per_second < -latest)
        return std::nullopt;
    return std::chrono::system_clock::time_point{std::chrono::milliseconds{*value * (1000 / per_second)}};
}

std::int64_t stored_time(std::chrono::system_clock::time_point t) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

std::chrono::system_clock::time_point time_stored(const nlohmann::json& value) {
    using clock = std::chrono::system_clock;
    constexpr std::int64_t latest = 9'000'000'000'000; // as in json_time
    // a double beyond 64 bits can't be cast
    const auto rough = value.get<double>();
    const bool fits = std::fabs(rough) < static_cast<double>(latest);
    const std::chrono::milliseconds since{fits ? value.get<std::int64_t>() : rough < 0 ? -latest : latest};
    return clock::time_point(std::chrono::duration_cast<clock::duration>(since));
}

std::optional<std::vector<std::string>> json_strings(const nlohmann::json& object, const char* name) {
    const auto it = object.find(name);
    if (it == object.end())
        return std::nullopt;
    if (it->is_string())
        return std::vector<std::string>{it->get<std::string>()};
    if (!it->is_array())
        return std::nullopt;
    std::vector<std::string> out;
    for (const auto& element : *it)
        if (element.is_string() && out.size() < max_list)
            out.push_back(element.get<std::string>());
    return out;
}

} // namespace reauth
