// What a client, an upstream and another program hand to `stdio`: lines, tools, endpoints' events,
// mcp-remote's files.
#include "core/mcp/mcp_headers.hpp"
#include "core/mcp/mcp_remote.hpp"
#include "core/mcp/message_lines.hpp"
#include "core/mcp/tool_filter.hpp"

#include <cstdint>
#include <cstdlib>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    // however the input is cut, the lines are the same
    message_lines whole(64), pieces(64);
    auto at_once = whole.feed(text);
    if (auto rest = whole.finish())
        at_once.push_back(*rest);
    std::vector<message_lines::line> in_steps;
    for (const char c : text)
        for (auto& l : pieces.feed(std::string_view(&c, 1)))
            in_steps.push_back(std::move(l));
    if (auto rest = pieces.finish())
        in_steps.push_back(*rest);
    if (at_once.size() != in_steps.size())
        std::abort();
    for (std::size_t i = 0; i < at_once.size(); ++i)
        if (at_once[i].text != in_steps[i].text || at_once[i].too_long != in_steps[i].too_long ||
            at_once[i].id != in_steps[i].id || at_once[i].text.size() > 64)
            std::abort();
    tool_filter filter({"a*", "*b"});
    (void)filter.from_client(text);
    (void)filter.from_client(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
    (void)filter.for_client(text);
    tool_headers headers;
    const auto kept = headers.learn(text);
    const auto parameters = headers.fields("t", text);
    for (const auto& field : parameters)
        for (const char c : field.value)
            if (c == '\r' || c == '\n' || c == '\0')
                std::abort();
    const auto body = parse_rpc(text);
    for (const auto& m : body.messages)
        for (const auto& field : mcp_request_fields(m))
            for (const char c : field.value)
                if (c == '\r' || c == '\n' || c == '\0')
                    std::abort();
    (void)read_mcp_remote(secret(text), secret(kept), time_point{});
    return 0;
}
