// Fuzzes stored questions.
#include "policy/life/approval_record.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto value = record_from_json(secret{std::string(text)})) {
        const auto written = record_to_json(*value);
        const auto again = record_from_json(written);
        if (!again || !(record_to_json(*again) == written))
            __builtin_trap();
    }
    return 0;
}
