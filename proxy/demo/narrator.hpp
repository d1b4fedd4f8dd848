// Tells the demo's story: one line an event, who speaks in front; colour only on a terminal.
#pragma once

#include <mutex>
#include <string>

namespace reauth {

enum class demo_speaker { client, proxy, server, person };

/// Lines on stdout; may be used from several threads.
class demo_narrator {
public:
    /// `quiet` prints nothing (the summary then is JSON).
    explicit demo_narrator(bool quiet);
    void say(demo_speaker who, const std::string& text);
    /// A line without a speaker.
    void line(const std::string& text = {});
    /// `text` emphasised on a terminal, as it is elsewhere.
    std::string strong(const std::string& text) const;
    std::string good(const std::string& text) const;
    std::string bad(const std::string& text) const;

private:
    std::string styled(const char* code, const std::string& text) const;
    bool quiet_, colour_;
    std::mutex mutex_;
};

} // namespace reauth
