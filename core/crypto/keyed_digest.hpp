// A keyed digest that costs a few instructions a word: what a token that was verified is known by.
#pragma once

#include "core/crypto/random.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace reauth {

/// NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: UMAC; RFC 4418 section 5.2, with words of 64 bits), and
/// beside it the text's last 16 bytes, which are of a token's signature: for whoever does not know the key
/// two texts of the same length and end share a digest with probability 2^-64. It is a hash for a table of
/// secrets: a digest must never be told to anybody.
class keyed_digest {
public:
    /// Longer texts have none.
    static constexpr std::size_t most = 16 * 1024;

    struct value {
        std::array<std::uint64_t, 2> hashed{}, end{};
        std::uint64_t size = 0;
        friend bool operator==(const value&, const value&) = default;
    };
    /// For a table: the digest is uniform already.
    struct hash {
        std::size_t operator()(const value& v) const noexcept { return v.hashed[0] ^ v.hashed[1]; }
    };

    explicit keyed_digest(const random_source& random);
    /// `text.size() <= most`.
    value of(std::string_view text) const noexcept;

private:
    std::vector<std::uint64_t> key_;
};

} // namespace reauth
