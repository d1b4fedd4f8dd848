// No dumps, and a note.
#include "proxy/service/process.hpp"

#include "proxy/log/log.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace reauth {

void forbid_dumps() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

std::unique_ptr<running_file> leave_note(const server& s) {
    const auto& settings = s.settings();
    auto about = describe_running(settings, s.listen_port(), s.approval_port());
    about.stdio = s.role() == server_role::bridged;
    about.neighbour = s.neighbour_port();
    auto note = std::make_unique<running_file>();
    const auto directory = note_directory(settings);
    auto left = note->write(directory, about);
    if (!left && directory != settings.state_directory)
        left = note->write(settings.state_directory, about);
    if (!left)
        log_event(log_level::warn, "not found by the command line", {{"message", left.error().describe()}});
    return note;
}

} // namespace reauth
