// A head and a body that a person may have to approve: what is let in says UTF-8 in every Content-Type and
// nothing else than the body; what is shown and what is hidden is all there is.
#include "core/mcp/call_head.hpp"
#include "core/mcp/mcp_headers.hpp"
#include "core/mcp/shown_call.hpp"
#include "core/text/ascii.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reauth;
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    request_head head;
    if (parse_request_head(all, head).is != head_outcome::kind::complete)
        return 0;
    const auto read = read_call(head, all.substr(head.size));
    if (!read)
        return 0;
    for (const auto& f : head) {
        if (f.id == field_id::content_type) {
            auto lower = ascii_lower(f.value);
            std::erase(lower, '"');
            for (auto at = lower.find("charset"); at != lower.npos; at = lower.find("charset", at + 1))
                if (lower.compare(at, 13, "charset=utf-8") != 0)
                    std::abort();
        }
        for (const auto& c : read->calls)
            if (iequals(f.name, "mcp-method") && mcp_header_text(f.value) != c.method)
                std::abort();
    }
    const auto shown = show_calls(*read, 0, 300);
    std::size_t bytes = 0;
    for (const auto& c : shown.calls)
        bytes += c.method.size() + c.tool.size() + c.arguments.size() + c.also.size();
    if (bytes > 300)
        std::abort();
    const auto whole = show_calls(*read, 0, 64 * size + 100'000);
    if (whole.hidden != 0 || whole.calls.size() != read->calls.size())
        std::abort();
    return 0;
}
