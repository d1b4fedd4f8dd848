// A body as a person approves it: what is read strictly is the same when it is read again, and is bound by
// all that matters.
#include "core/mcp/json_rpc.hpp"
#include "core/mcp/shown_call.hpp"
#include "core/text/display_text.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reauth;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    const auto read = read_call_content(body);
    (void)shown_arguments(body, 200);
    if (!read)
        return 0;
    // the strict reader accepts nothing that the shallow one understands otherwise
    const auto shallow = parse_rpc(body);
    if (!shallow.valid || shallow.messages.size() != read->calls.size())
        std::abort();
    for (std::size_t i = 0; i < read->calls.size(); ++i) {
        if (shallow.messages[i].method != read->calls[i].method ||
            shallow.messages[i].tool != read->calls[i].tool)
            std::abort();
        if (shown_arguments(read->calls[i].arguments, 200).size() > 270)
            std::abort();
    }
    const auto again = read_call_content(read->canonical);
    if (!again || again->canonical != read->canonical)
        std::abort();
    return 0;
}
