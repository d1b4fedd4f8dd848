// Fuzzes bodies in transit: cut anywhere, the outcome is the same, and what goes on is clean framing.
#include "core/http/http_body.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace reauth;

namespace {

void must(bool holds) {
    if (!holds)
        __builtin_trap();
}

struct outcome {
    bool ok = true, done = false;
    std::string out;
    std::size_t used = 0;
};

outcome pass(std::string_view text, std::size_t step, bool payload_only) {
    message_head head;
    head.framing = body_framing::chunked;
    body_scanner scanner(head);
    outcome o;
    for (std::size_t at = 0; at < text.size() && o.ok && !scanner.done(); at += step) {
        const std::string part(text.substr(at, step));
        std::string_view input = part;
        o.ok = pass_body(scanner, input, payload_only, o.out);
        o.used += part.size() - input.size();
    }
    o.done = scanner.done();
    return o;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::size_t step = data[0] % 16 + 1;
    const auto whole = pass(text, size, false);
    const auto cut = pass(text, step, false);
    must(whole.ok == cut.ok);
    if (!whole.ok)
        return 0;
    must(whole.out == cut.out && whole.done == cut.done && whole.used == cut.used);
    const auto payload = pass(text, step, true);
    must(payload.ok && payload.done == whole.done);
    // extensions and trailers are gone, so that a second pass changes nothing
    const auto twice = pass(whole.out, step, false);
    must(twice.ok && twice.out == whole.out && twice.done == whole.done);
    must(pass(whole.out, step, true).out == payload.out);
    return 0;
}
