// Answers that become events: whatever comes, and however it is cut, only whole events go out.
#include "core/mcp/answer_events.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reauth;
    if (size == 0)
        return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto cut = text.size() * data[0] / 256;
    std::string whole, pieces;
    event_reader at_once, in_two;
    for (const auto& e : at_once.feed(text))
        whole += e.text;
    for (const auto part : {text.substr(0, cut), text.substr(cut)})
        for (const auto& e : in_two.feed(part))
            pieces += e.text;
    if (whole != pieces || whole + std::string(text.substr(whole.size())) != text)
        std::abort();
    for (const bool stream : {true, false}) {
        answer_events events(stream, std::move(*content_decoder::create("")));
        if (auto fed = events.feed(text))
            events.finish(true);
    }
    return 0;
}
