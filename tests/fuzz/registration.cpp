// Fuzzes registration answers and stored clients.
#include "core/oauth/registration.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    authorization_server server;
    server.issuer = "https://as.example";
    registration_request wanted;
    wanted.redirect_uri = "http://127.0.0.1/cb";
    if (const auto client = read_registration({201, {}, std::string(text)}, server, wanted))
        if (!registered_client_from_json(registered_client_to_json(*client)))
            __builtin_trap();
    registered_client_from_json(secret{std::string(text)});
    return 0;
}
