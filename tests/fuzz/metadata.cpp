// Fuzzes discovery documents.
#include "core/oauth/metadata.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto server = read_authorization_server(text, "https://as.example"))
        if (server->issuer != "https://as.example")
            __builtin_trap();
    read_protected_resource(text, "https://api.example/mcp");
    resource_metadata_urls("https://api.example/mcp", text);
    server_metadata_urls(text);
    return 0;
}
