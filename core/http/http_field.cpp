// Tables of field characters, and list members without allocation.
#include "core/http/http_field.hpp"

#include "core/text/ascii.hpp"

#include <array>
#include <cstring>

namespace reauth {
namespace {

enum : unsigned char { token = 1, value = 2, target = 4, host = 8 };

constexpr std::array<unsigned char, 256> make_table() {
    std::array<unsigned char, 256> t{};
    for (unsigned c = 0; c < 256; ++c) {
        const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool digit = c >= '0' && c <= '9';
        unsigned char bits = 0;
        if (alpha || digit ||
            (c != 0 && c < 128 &&
             std::string_view("!#$%&'*+-.^_`|~").find(char(c)) != std::string_view::npos))
            bits |= token;
        if (c == '\t' || (c >= 0x20 && c != 0x7f))
            bits |= value;
        if (c > 0x20 && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' &&
            c != '`')
            bits |= target;
        if (alpha || digit || c == '-' || c == '.' || c == '_' || c == ':' || c == '[' || c == ']' ||
            c == '~')
            bits |= host;
        t[c] = bits;
    }
    return t;
}
constexpr auto table = make_table();

inline bool is(char c, unsigned char bit) noexcept {
    return table[static_cast<unsigned char>(c)] & bit;
}

inline bool all(std::string_view text, unsigned char bit) noexcept {
    for (const char c : text)
        if (!is(c, bit))
            return false;
    return true;
}

constexpr std::uint64_t each_byte(std::uint64_t c) {
    return c * 0x0101010101010101;
}

std::uint64_t eight_bytes(const char* from) noexcept {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

/// Eight characters at once: true if one may be a control character. Exact, but that HTAB is one too.
bool any_control(std::uint64_t word) noexcept {
    constexpr auto high = each_byte(0x80);
    const auto low_bits = word & ~high;
    const auto below_space = ~((low_bits + each_byte(0x60)) | word); // bit 7: the byte is < 0x20
    const auto delete_too = ~((low_bits ^ each_byte(0x7f)) + each_byte(0x7f)) & ~word; // … or it is 0x7f
    return ((below_space | delete_too) & high) != 0;
}

/// `known` is of lower-case letters, digits and '-' alone, `name` of token characters, both of one length:
/// whether they are the same but for case.
bool is_known_name(std::string_view known, std::string_view name) noexcept {
    std::size_t at = 0;
    for (; at + 8 <= name.size(); at += 8)
        if ((eight_bytes(name.data() + at) | each_byte(0x20)) != eight_bytes(known.data() + at))
            return false;
    for (; at < name.size(); ++at)
        if ((name[at] | 0x20) != known[at])
            return false;
    return true;
}

struct known_field {
    std::string_view name;
    field_id id;
};

constexpr known_field known[] = {
    {"accept", field_id::accept},
    {"accept-encoding", field_id::accept_encoding},
    {"authorization", field_id::authorization},
    {"cache-control", field_id::cache_control},
    {"connection", field_id::connection},
    {"content-length", field_id::content_length},
    {"content-type", field_id::content_type},
    {"cookie", field_id::cookie},
    {"cookie2", field_id::cookie},
    {"dpop", field_id::dpop},
    {"dpop-nonce", field_id::dpop_nonce},
    {"expect", field_id::expect},
    {"host", field_id::host},
    {"http2-settings", field_id::http2_settings},
    {"keep-alive", field_id::keep_alive},
    {"last-event-id", field_id::last_event_id},
    {"location", field_id::location},
    {"mcp-protocol-version", field_id::mcp_protocol_version},
    {"mcp-session-id", field_id::mcp_session_id},
    {"origin", field_id::origin},
    {"proxy-authenticate", field_id::proxy_authenticate},
    {"proxy-authorization", field_id::proxy_authorization},
    {"proxy-connection", field_id::proxy_connection},
    {"retry-after", field_id::retry_after},
    {"sec-fetch-site", field_id::sec_fetch_site},
    {"set-cookie", field_id::set_cookie},
    {"set-cookie2", field_id::set_cookie},
    {"te", field_id::te},
    {"trailer", field_id::trailer},
    {"transfer-encoding", field_id::transfer_encoding},
    {"upgrade", field_id::upgrade},
    {"www-authenticate", field_id::www_authenticate},
};

/// Per (length, first letter): the few known names that can match, so that most names cost one look.
struct name_index {
    std::array<std::array<std::uint8_t, 26>, 24>
        first{}; // 1 + index into `known`; names are sorted by letter
};
constexpr name_index make_index() {
    name_index x{};
    for (std::size_t i = std::size(known); i-- > 0;)
        x.first[known[i].name.size()][static_cast<std::size_t>(known[i].name[0] - 'a')] =
            static_cast<std::uint8_t>(i + 1);
    return x;
}
constexpr auto names = make_index();

} // namespace

std::size_t token_length(std::string_view text) noexcept {
    std::size_t at = 0;
    const auto kind = [&](std::size_t i) { return table[static_cast<unsigned char>(text[i])]; };
    while (at + 4 <= text.size() && (kind(at) & kind(at + 1) & kind(at + 2) & kind(at + 3) & token) != 0)
        at += 4;
    while (at < text.size() && is(text[at], token))
        ++at;
    return at;
}

bool is_token_char(char c) noexcept {
    return is(c, token);
}

bool valid_token(std::string_view text) noexcept {
    return !text.empty() && token_length(text) == text.size();
}

namespace {

/// Sixteen bytes at once, in whatever registers the machine has.
using sixteen = unsigned char __attribute__((vector_size(16)));

sixteen sixteen_bytes(const char* from) noexcept {
    sixteen b;
    std::memcpy(&b, from, sizeof b);
    return b;
}

sixteen least(sixteen a, sixteen b) noexcept {
    return a < b ? a : b;
}

/// Of 16 times `Blocks` bytes. May be wrong about a tab: then it is looked at more closely.
template<int Blocks>
bool any_control_in(const char* from) noexcept {
    const sixteen removed = sixteen{} + 0x7f;
    auto lowest = sixteen_bytes(from), nearest = lowest ^ removed;
#pragma GCC unroll 4
    for (int i = 1; i < Blocks; ++i) {
        const auto b = sixteen_bytes(from + i * 16);
        lowest = least(lowest, b);
        nearest = least(nearest, b ^ removed);
    }
    const auto found = (lowest < 0x20) | (nearest == 0);
    std::uint64_t halves[2];
    std::memcpy(halves, &found, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

} // namespace

bool valid_field_value(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at + 64 <= text.size() && !any_control_in<4>(text.data() + at))
        at += 64;
    while (at + 16 <= text.size() && !any_control_in<1>(text.data() + at))
        at += 16;
    while (at + 8 <= text.size() && !any_control(eight_bytes(text.data() + at)))
        at += 8;
    return all(text.substr(at), value);
}

bool valid_target(std::string_view text) noexcept {
    return !text.empty() && (text[0] == '/' || text == "*") && all(text, target);
}

bool valid_host(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 261 && all(text, host);
}

bool parse_decimal(std::string_view text, std::uint64_t& out) noexcept {
    if (text.empty() || text.size() > 18)
        return false;
    out = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return false;
        out = out * 10 + static_cast<unsigned>(c - '0');
    }
    return true;
}

bool name_in_list(std::string_view list, std::string_view name) noexcept {
    bool found = false;
    for_each_list_item(list, [&](std::string_view item) { found = found || iequals(item, name); });
    return found;
}

field_id identify_field(std::string_view name) noexcept {
    if (name.size() >= names.first.size())
        return field_id::other;
    auto letter = static_cast<unsigned char>(ascii_lower(name[0])) - static_cast<unsigned>('a');
    if (letter >= 26)
        return field_id::other;
    for (std::size_t i = names.first[name.size()][letter]; i != 0 && i <= std::size(known); ++i) {
        const auto& k = known[i - 1];
        if (k.name[0] != ascii_lower(name[0]))
            break;
        if (k.name.size() == name.size() && is_known_name(k.name, name))
            return k.id;
    }
    return field_id::other;
}

} // namespace reauth
