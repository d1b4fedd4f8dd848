// Fuzzes URLs: what parses has an http scheme and a host, and nothing covers a foreign origin.
#include "core/text/uri.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto url = parse_http_url(text)) {
        if (url->host.empty() || (url->scheme != "http" && url->scheme != "https"))
            __builtin_trap();
        if (!parse_http_url(url->origin()))
            __builtin_trap();
    }
    if (resource_covers(text, "https://api.example/mcp/v1") && origin_of(text) != "https://api.example")
        __builtin_trap();
    without_query(text);
    return 0;
}
