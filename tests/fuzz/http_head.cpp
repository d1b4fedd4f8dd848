// Fuzzes heads: what is accepted has safe framing, is the same however it arrives, and survives being sent
// on.
#include "core/http/http_head.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace reauth;
using kind = head_outcome::kind;

namespace {

void must(bool holds) {
    if (!holds)
        __builtin_trap();
}

void check_views(const message_head& head, std::string_view text) {
    must(head.size <= text.size() && head.size <= max_head_size);
    for (const auto& f : head) {
        must(f.line.data() >= text.data() && f.line.data() + f.line.size() <= text.data() + head.size);
        must(f.line.find('\n') == f.line.size() - 1);
        must(!f.name.empty());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static request_head request, again;
    const auto asked = parse_request_head(text, request);
    if (asked.is == kind::complete) {
        check_views(request, text);
        must(parse_request_head(text.substr(0, request.size - 1), again).is == kind::incomplete);
        request_rewrite rewrite;
        rewrite.target = "/mcp";
        rewrite.host = "upstream.example";
        rewrite.credential = "Authorization: Bearer ours\r\n";
        std::string out;
        write_request_head(request, rewrite, out);
        must(parse_request_head(out, again).is == kind::complete || request.field_count > 120);
        must(again.framing == request.framing || request.field_count > 120);
    }
    static response_head response, back;
    const auto answered = parse_response_head(text, size % 7 == 0, response);
    if (answered.is == kind::complete) {
        check_views(response, text);
        keep_alive_timeout(response);
        std::string out;
        write_response_head(response, {}, out);
        must(parse_response_head(out, size % 7 == 0, back).is == kind::complete ||
             response.field_count > 120);
    }
    return 0;
}
