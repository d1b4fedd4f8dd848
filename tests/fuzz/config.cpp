// libFuzzer target: any text as a configuration file; it must load or say what is wrong, nothing else. And as
// a client's file: what is rewritten has nothing left to rewrite.
#include "conf/client_file.hpp"
#include "conf/load.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const reauth::config_inputs inputs{{}, {{"HOME", "/nonexistent"}, {"TOKEN", "0123456789abcdef"}}};
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    auto loaded = reauth::load_config_text(text, "/nonexistent/fuzz.yaml", inputs);
    if (!loaded && loaded.error().message.empty())
        std::abort();
    const auto theirs = reauth::rewrite_remote_entries(text, {"/usr/bin/mcp-reauth"});
    if (!theirs && theirs.error().message.empty())
        std::abort();
    if (theirs && theirs->entries.empty() && theirs->text != text)
        std::abort();
    if (theirs && !theirs->entries.empty()) {
        const auto again = reauth::rewrite_remote_entries(theirs->text, {"/usr/bin/mcp-reauth"});
        if (!again || !again->entries.empty() || again->text != theirs->text)
            std::abort();
    }
    return 0;
}
