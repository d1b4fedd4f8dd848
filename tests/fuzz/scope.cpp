// Fuzzes scope sets and globs.
#include "core/oauth/scope.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto set = scope_set::parse(text);
    if (scope_set::parse(set.to_string()).tokens() != set.tokens())
        __builtin_trap();
    glob_match(text.substr(0, size / 2), text.substr(size / 2));
    return 0;
}
