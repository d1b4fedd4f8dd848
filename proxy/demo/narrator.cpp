// Tells the demo's story: one line an event, who speaks in front; colour only on a terminal.
#include "proxy/demo/narrator.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace reauth {

demo_narrator::demo_narrator(bool quiet)
    : quiet_(quiet), colour_(::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr) {}

std::string demo_narrator::styled(const char* code, const std::string& text) const {
    return colour_ ? "\x1b[" + std::string(code) + "m" + text + "\x1b[0m" : text;
}

std::string demo_narrator::strong(const std::string& text) const {
    return styled("1", text);
}
std::string demo_narrator::good(const std::string& text) const {
    return styled("32", text);
}
std::string demo_narrator::bad(const std::string& text) const {
    return styled("1;31", text);
}

void demo_narrator::say(demo_speaker who, const std::string& text) {
    struct voice {
        const char *name, *colour;
    };
    static constexpr voice voices[] = {
        {"client  ", "36"}, {"proxy   ", "1;32"}, {"server  ", "33"}, {"person  ", "35"}};
    const voice& speaker = voices[static_cast<int>(who)];
    line(styled(speaker.colour, speaker.name) + " " + text);
}

void demo_narrator::line(const std::string& text) {
    if (quiet_)
        return;
    const std::lock_guard lock(mutex_);
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

} // namespace reauth
