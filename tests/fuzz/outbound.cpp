// What proxies and load balancers say: HTTPS_PROXY, the answer to CONNECT, Set-Cookie.
#include "core/http/cookie_jar.hpp"
#include "core/http/http_field.hpp"
#include "core/http/outbound_proxy.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reauth;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto proxy = parse_outbound_proxy(text, text)) {
        if (!valid_field_value(proxy->authorization.reveal()))
            std::abort();
        proxy->applies_to(*parse_http_url("https://a.example/"));
    }
    read_connect_answer(text, parse_outbound_proxy("p:1", "").value());
    cookie_jar jar;
    jar.take(text, "a.example", "/x", time_point{});
    if (!valid_field_value(jar.header_for("/x/y", time_point{})))
        std::abort();
    return 0;
}
