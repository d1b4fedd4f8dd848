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

keyed_digest::keyed_digest(const random_source& random) : key_(most / 8 + 2) {
    const auto bytes = random(key_.size() * 8);
    std::memcpy(key_.data(), bytes.data(), bytes.size());
}

keyed_digest::value keyed_digest::of(std::string_view text) const noexcept {
    wide sum = 0;
    const auto* key = key_.data();
    const char* at = text.data();
    const auto* const end = at + text.size();
    const auto take = [&](const char* from, int i) {
        sum += static_cast<wide>(word(from) + key[i]) * (word(from + 8) + key[i + 1]);
    };
    for (; end - at >= 64; at += 64, key += 8) {
        take(at, 0);
        take(at + 16, 2);
        take(at + 32, 4);
        take(at + 48, 6);
    }
    for (; end - at >= 16; at += 16, key += 2)
        take(at, 0);
    char rest[16] = {};
    std::memcpy(rest, at, static_cast<std::size_t>(end - at));
    take(rest, 0);
    value out{{static_cast<std::uint64_t>(sum), static_cast<std::uint64_t>(sum >> 64)}, {}, text.size()};
    if (text.size() >= 16)
        out.end = {word(end - 16), word(end - 8)};
    return out;
}

} // namespace reauth
