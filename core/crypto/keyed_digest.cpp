// NH over pairs of words.
#include "core/crypto/keyed_digest.hpp"

#include <cstring>

namespace reauth {
namespace {

__extension__ using wide = unsigned __int128;

std::uint64_t word(const char* from) noexcept {
    std::uint64_t w = 0;
    std::memcpy(&w, from, sizeof w);
    return w;
}

} // namespace

keyed_digest::keyed_digest(const random_source& random) : key_(most / 8 + 4) {
    const auto bytes = random(key_.size() * 8);
    std::memcpy(key_.data(), bytes.data(), bytes.size());
}

keyed_digest::value keyed_digest::of(std::string_view text) const noexcept {
    wide first = 0, second = 0;
    const auto* key = key_.data();
    const auto take = [&](std::uint64_t a, std::uint64_t b) {
        first += static_cast<wide>(a + key[0]) * (b + key[1]);
        second += static_cast<wide>(a + key[2]) * (b + key[3]);
        key += 2;
    };
    std::size_t at = 0;
    for (; at + 16 <= text.size(); at += 16)
        take(word(text.data() + at), word(text.data() + at + 8));
    if (at < text.size()) {
        char rest[16] = {};
        std::memcpy(rest, text.data() + at, text.size() - at);
        take(word(rest), word(rest + 8));
    }
    const auto high = [](wide w) { return static_cast<std::uint64_t>(w >> 64); };
    return {
        {static_cast<std::uint64_t>(first), high(first), static_cast<std::uint64_t>(second), high(second)},
        text.size()};
}

} // namespace reauth
