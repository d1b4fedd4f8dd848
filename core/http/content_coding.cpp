// gzip and deflate by zlib, the codings of one field undone in reverse order.
#include "core/http/content_coding.hpp"

#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"

#include <zlib.h>

#include <array>
#include <vector>

namespace reauth {

namespace {

/// Nobody applies more in earnest, and each costs 40 kB.
constexpr std::size_t most_codings = 3;
constexpr int window = 15, zlib_or_gzip = 32;

failure wrong_coding(std::string message) {
    return failure::permanent(
        fault::upstream_malformed, std::move(message),
        "its operator must send it without a content coding, or with gzip or deflate (RFC 9110 §8.4.1)");
}

std::vector<std::string> named(std::string_view codings) {
    std::vector<std::string> out;
    while (!codings.empty()) {
        const auto end = codings.find(',');
        auto one = ascii_lower(trim_space(codings.substr(0, end)));
        if (!one.empty() && one != "identity")
            out.push_back(std::move(one));
        codings = end == std::string_view::npos ? std::string_view{} : codings.substr(end + 1);
    }
    return out;
}

} // namespace

/// One coding, and what comes out of it goes into the next.
struct content_decoder::stage {
    explicit stage(bool deflate) : maybe_raw(deflate) { open(window + zlib_or_gzip); }
    ~stage() { inflateEnd(&z); }
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;

    void open(int bits) {
        z = {};
        usable = inflateInit2(&z, bits) == Z_OK;
    }

    /// "deflate" is zlib's format (RFC 1950) by the letter, and raw deflate (RFC 1951) at some servers.
    static bool zlib_header(std::string_view first) {
        const auto cmf = static_cast<unsigned char>(first[0]), flags = static_cast<unsigned char>(first[1]);
        return (cmf & 0x0f) == 8 && (cmf << 8 | flags) % 31 == 0;
    }

    result<void> feed(std::string_view piece, std::string& out, std::size_t cap) {
        if (maybe_raw) {
            held.append(piece);
            if (held.size() < 2)
                return {};
            maybe_raw = false;
            const auto whole = std::exchange(held, {});
            if (!zlib_header(whole)) {
                inflateEnd(&z);
                open(-window);
            }
            return inflate_all(whole, out, cap);
        }
        return inflate_all(piece, out, cap);
    }

    result<void> inflate_all(std::string_view piece, std::string& out, std::size_t cap) {
        std::array<char, 16 * 1024> room; // NOLINT: filled by zlib
        z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
        z.avail_in = static_cast<uInt>(piece.size());
        while (usable && (z.avail_in > 0 || more)) {
            if (ended && inflateReset(&z) != Z_OK) // a gzip file may have several members (RFC 1952 §2.2)
                break;
            ended = false;
            z.next_out = reinterpret_cast<Bytef*>(room.data());
            z.avail_out = static_cast<uInt>(room.size());
            const int got = inflate(&z, Z_NO_FLUSH);
            if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR)
                return wrong_coding("the body is not what its content coding says");
            const std::string_view made{room.data(), room.size() - z.avail_out};
            started = true;
            ended = got == Z_STREAM_END;
            more = z.avail_out == 0 && !ended;
            if (auto given = give(made, out, cap); !given)
                return given;
            if (got == Z_BUF_ERROR && z.avail_in == 0)
                more = false;
        }
        return {};
    }

    result<void> give(std::string_view made, std::string& out, std::size_t cap) {
        if (next)
            return made.empty() ? result<void>{} : next->feed(made, out, cap);
        if (out.size() + made.size() > cap)
            return wrong_coding("the body is larger than " + std::to_string(cap / 1024) +
                                " KiB once decoded");
        out.append(made);
        return {};
    }

    z_stream z{};
    bool usable = false, maybe_raw, started = false, ended = false, more = false;
    std::string held; ///< the first byte of what may be raw
    std::unique_ptr<stage> next;
};

content_decoder::content_decoder(std::unique_ptr<stage> first) : first_(std::move(first)) {}
content_decoder::content_decoder(content_decoder&&) noexcept = default;
content_decoder& content_decoder::operator=(content_decoder&&) noexcept = default;
content_decoder::~content_decoder() = default;

result<content_decoder> content_decoder::create(std::string_view codings) {
    const auto names = named(codings);
    if (names.size() > most_codings)
        return wrong_coding("the body has more content codings than " + std::to_string(most_codings));
    std::unique_ptr<stage> first;
    for (const auto& name : names) { // the last one named was applied last, so it is undone first
        if (name != "gzip" && name != "x-gzip" && name != "deflate")
            return wrong_coding("the body has the content coding " + clean_text(name, 40) +
                                ", which nobody asked for");
        auto one = std::make_unique<stage>(name == "deflate");
        one->next = std::move(first);
        first = std::move(one);
    }
    return content_decoder(std::move(first));
}

bool content_decoder::identity() const noexcept {
    return !first_;
}

result<void> content_decoder::feed(std::string_view piece, std::string& out, std::size_t cap) {
    if (first_)
        return piece.empty() ? result<void>{} : first_->feed(piece, out, cap);
    if (out.size() + piece.size() > cap)
        return wrong_coding("the body is larger than " + std::to_string(cap / 1024) + " KiB");
    out.append(piece);
    return {};
}

result<void> content_decoder::finish() const {
    for (const auto* s = first_.get(); s; s = s->next.get())
        if (!s->held.empty() || (s->started && !s->ended))
            return wrong_coding("the body breaks off inside its content coding");
    return {};
}

result<std::string> decode_content(std::string_view codings, std::string_view body, std::size_t cap) {
    auto decoder = content_decoder::create(codings);
    if (!decoder)
        return decoder.error();
    std::string out;
    if (auto fed = decoder->feed(body, out, cap); !fed)
        return fed.error();
    if (auto whole = decoder->finish(); !whole)
        return whole.error();
    return out;
}

} // namespace reauth
