// Fuzzes callbacks and authorization endpoints.
#include "core/oauth/authorization.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const callback_expectation expected{secret{"s"}, "https://as.example", true};
    if (const auto callback = parse_callback_url(text))
        if (check_callback(*callback, expected) && callback->iss != "https://as.example")
            __builtin_trap();
    authorization_request request;
    request.endpoint = text;
    request.client_id = "c";
    if (const auto url = authorization_url(request);
        url && !url->starts_with("http") && !url->starts_with("HTTP"))
        if (url->find("://") == std::string::npos)
            __builtin_trap();
    return 0;
}
