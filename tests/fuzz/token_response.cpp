// Fuzzes token endpoint answers: what is accepted can stand in a header field.
#include "core/oauth/token.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const char* type : {"application/json", "application/x-www-form-urlencoded", "text/plain"}) {
        const http_response answer{size % 2 ? 200u : 400u, {{"Content-Type", type}}, std::string(text)};
        const auto read = read_token_response(answer);
        wants_dpop_nonce(answer);
        if (!read)
            continue;
        for (const char c : read->access_token.reveal())
            if (c <= 0x20 || c >= 0x7f)
                __builtin_trap();
        credential_context context;
        context.dpop_key = secret{"key"};
        make_credential(*read, context, nullptr);
    }
    return 0;
}
