// Time, version, variant, randomness.
#include "core/crypto/uuid.hpp"

#include "core/text/encoding.hpp"

namespace reauth {
namespace {

constexpr std::size_t hyphens[] = {8, 13, 18, 23};
constexpr std::size_t length = 36;

} // namespace

std::string uuid_v7(time_point now, const random_source& random) {
    auto bytes = random(16);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    const auto byte = [](std::int64_t value) { return static_cast<char>(value & 0xff); };
    for (std::size_t i = 0; i < 6; ++i)
        bytes[i] = byte(ms >> (8 * (5 - static_cast<int>(i))));
    bytes[6] = byte(0x70 | (bytes[6] & 0x0f));
    bytes[8] = byte(0x80 | (bytes[8] & 0x3f));
    auto out = hex_encode(bytes);
    for (const auto at : hyphens)
        out.insert(at, 1, '-');
    return out;
}

bool is_uuid(std::string_view text) noexcept {
    if (text.size() != length)
        return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (hyphen ? c != '-' : !digit)
            return false;
    }
    return true;
}

} // namespace reauth
