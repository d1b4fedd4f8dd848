// Keeps the notes, and writes values as a person would.
#include "conf/key_log.hpp"

#include <array>
#include <utility>

namespace reauth {

namespace {

template<std::size_t N>
std::string with_unit(std::uint64_t value,
                      const std::array<std::pair<std::uint64_t, std::string_view>, N>& units) {
    for (const auto& [factor, unit] : units)
        if (value >= factor && value % factor == 0)
            return std::to_string(value / factor) + std::string(unit);
    return std::to_string(value);
}

} // namespace

key_note* key_log::find(const std::string& key) {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &notes_[found->second];
}

void key_log::note(const std::string& key, key_shape shape, std::string fallback) {
    if (places_.emplace(key, notes_.size()).second)
        notes_.push_back({key, std::move(shape), std::move(fallback), {}, {}});
}

void key_log::require(const std::string& key) {
    if (auto* known = find(key))
        known->required = true;
}

void key_log::give(const std::string& key, std::string shown, const place& at) {
    if (auto* known = find(key)) {
        known->given = std::move(shown);
        known->at = at;
    }
}

void key_log::settle(const std::string& key, std::string value) {
    if (auto* known = find(key))
        known->fallback = std::move(value);
}

std::string duration_text(std::chrono::milliseconds value) {
    constexpr std::array<std::pair<std::uint64_t, std::string_view>, 4> units{
        {{3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}, {1, "ms"}}};
    return value.count() == 0 ? "0s" : with_unit(static_cast<std::uint64_t>(value.count()), units);
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array<std::pair<std::uint64_t, std::string_view>, 3> units{
        {{1ull << 30, "GiB"}, {1ull << 20, "MiB"}, {1ull << 10, "KiB"}}};
    return with_unit(bytes, units);
}

} // namespace reauth
