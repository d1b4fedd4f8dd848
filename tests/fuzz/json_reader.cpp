// Foreign JSON: what is let in keeps within its bounds, is written without trouble, and is the same when it
// is read again; its members, cut out as text, are what the document holds.
#include "core/json/json_reader.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_members.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

std::size_t depth_of(const nlohmann::json& value) {
    std::size_t deepest = 0;
    for (const auto& one : value)
        deepest = std::max(deepest, one.is_structured() ? depth_of(one) : 0);
    return deepest + 1;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reauth;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    constexpr json_bounds tight{4096, 8, 64};
    (void)parse_json_object(text);
    const auto read = read_json(text, tight);
    if (read && !is_json(text))
        std::abort();
    if (!read)
        return 0;
    if (read->is_structured() && depth_of(*read) > tight.depth)
        std::abort();
    const auto written = json_text(*read);
    const auto again = read_json(written, {8 * tight.bytes, tight.depth, tight.values});
    if (!again || json_text(*again) != written)
        std::abort();
    if (read->is_structured() && json_members(written).size() != read->size())
        std::abort();
    return 0;
}
