// Fuzzes WWW-Authenticate: whatever an upstream sends is read within the caps.
#include "core/oauth/challenge.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto split = text.find('\n');
    const auto first = text.substr(0, split);
    const auto second = split == std::string_view::npos ? std::string_view{} : text.substr(split + 1);
    const auto all = parse_www_authenticate({first, second});
    if (all.size() > 16)
        __builtin_trap();
    for (const unsigned status : {401u, 403u})
        read_challenge(status, {first, second}, second, size % 2 == 0);
    return 0;
}
