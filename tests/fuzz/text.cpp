// Fuzzes encodings and cleaning: what is shown holds no control or escape.
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const unsigned char c : clean_text(text, 50))
        if (c < 0x20 || c == 0x7f)
            __builtin_trap();
    for (const unsigned char c : display_host(text))
        if (c < 0x20 || c >= 0x7f)
            __builtin_trap();
    if (html_escape(text).find_first_of("<>\"") != std::string::npos)
        __builtin_trap();
    if (base64url_decode(base64url_encode(text)) != text || percent_decode(form_encode(text), true) != text)
        __builtin_trap();
    if (const auto bytes = base64_decode(text);
        bytes && text.size() % 4 == 0 && base64_encode(*bytes).size() > text.size() + 4)
        __builtin_trap();
    parse_form(text);
    return 0;
}
