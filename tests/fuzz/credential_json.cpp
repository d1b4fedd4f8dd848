// Fuzzes stored credentials.
#include "core/oauth/credential_json.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto value = credential_from_json(secret{std::string(text)}))
        if (!credential_from_json(credential_to_json(*value)))
            __builtin_trap();
    return 0;
}
