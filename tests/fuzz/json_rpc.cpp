// Fuzzes JSON-RPC bodies: what is read can be answered, and an answer is always JSON.
#include "core/mcp/json_rpc.hpp"
#include "core/mcp/sse.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

namespace {

void must(bool holds) {
    if (!holds)
        __builtin_trap();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto body = parse_rpc(text);
    must(body.valid || body.messages.empty());
    must(body.messages.size() <= 1000);
    for (const auto& m : body.messages) {
        rpc_error_data details;
        details.reason = m.tool;
        must(nlohmann::json::accept(make_rpc_error(m.id, rpc_code_reauth, m.method, details)));
        if (!m.progress_token.empty())
            must(nlohmann::json::accept(make_progress(m.progress_token, 1, m.client_name)));
    }
    const auto events = sse_from_json(text);
    must(events.find('\r') == std::string::npos);
    return 0;
}
