// libFuzzer target: any text as a configuration file; it must load or say what is wrong, nothing else.
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
    return 0;
}
