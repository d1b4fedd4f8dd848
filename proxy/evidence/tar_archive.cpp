// A header of 512 bytes, the text, padding.
#include "proxy/evidence/tar_archive.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace reauth {
namespace {

constexpr std::size_t block = 512, name_room = 100;

struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], time[12], sum[8], type, link[100], magic[6],
        version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
static_assert(sizeof(tar_header) == block);

template<std::size_t n>
void octal(char (&field)[n], std::uint64_t value) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%0*llo", static_cast<int>(n - 1),
                  static_cast<unsigned long long>(value));
    std::memcpy(field, text.data(), n - 1);
}

std::string clean_name(std::string_view name) {
    std::string out(name.substr(0, name_room - 1));
    std::replace_if(
        out.begin(), out.end(),
        [](unsigned char c) { return !std::isalnum(c) && c != '-' && c != '_' && c != '.' && c != '/'; },
        '_');
    return out;
}

} // namespace

void tar_archive::add(std::string_view name, std::string_view text) {
    names_.push_back(clean_name(name));
    tar_header h{};
    std::memcpy(h.name, names_.back().data(), names_.back().size());
    octal(h.mode, 0600);
    octal(h.uid, 0);
    octal(h.gid, 0);
    octal(h.size, text.size());
    octal(h.time, static_cast<std::uint64_t>(wall_clock::to_time_t(at_)));
    h.type = '0';
    std::memcpy(h.magic, "ustar", 6);
    std::memcpy(h.version, "00", 2);
    std::memset(h.sum, ' ', sizeof h.sum);
    const auto* bytes = reinterpret_cast<const unsigned char*>(&h);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < block; ++i)
        sum += bytes[i];
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), "%06llo", static_cast<unsigned long long>(sum));
    std::memcpy(h.sum, digits.data(), 7);
    bytes_.append(reinterpret_cast<const char*>(&h), block).append(text);
    bytes_.append((block - text.size() % block) % block, '\0');
}

std::string tar_archive::compressed() const {
    constexpr int with_gzip_head = 15 + 16, usual_memory = 8;
    auto whole = bytes_;
    whole.append(2 * block, '\0');
    z_stream z{};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, with_gzip_head, usual_memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("zlib can't begin");
    std::string out(deflateBound(&z, static_cast<uLong>(whole.size())), '\0');
    z.next_in = reinterpret_cast<Bytef*>(whole.data());
    z.avail_in = static_cast<uInt>(whole.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const auto ended = deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    if (ended != Z_STREAM_END)
        throw std::runtime_error("zlib can't end");
    return out;
}

} // namespace reauth
