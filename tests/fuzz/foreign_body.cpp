// Bodies of servers: mended JSON and undone codings never crash, and stay within their bounds.
#include "core/http/content_coding.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_repair.hpp"
#include "core/oauth/device.hpp"
#include "core/oauth/foreign_text.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reauth;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // what is mended once needs no mending again, and what was sound stays as it is
    const auto mended = repair_json(text);
    if (repair_json(mended) != mended)
        std::abort();
    constexpr std::size_t cap = 64 * 1024;
    for (const char* coding : {"gzip", "deflate", "deflate, gzip"})
        if (const auto body = decode_content(coding, text, cap); body && body->size() > cap)
            std::abort();
    const sent_secrets secrets{secret{"0123456789abcdef"}};
    if (clean_foreign(text, secrets).find("0123456789abcdef") != std::string::npos)
        std::abort();
    const http_response answer{200, {}, std::string(text)};
    words_of(answer, parse_json_object(text), secrets);
    if (const auto code = read_device_authorization(answer, secrets))
        if (code->device_code.empty() || code->interval.count() <= 0)
            std::abort();
    return 0;
}
