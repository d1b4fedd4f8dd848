// No dumps, and a note.
#include "proxy/service/process.hpp"

#include "proxy/log/log.hpp"

#include <algorithm>
#include <cstdint>

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace reauth {

void forbid_dumps() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void make_room_for_descriptors(unsigned connections) {
    constexpr rlim_t besides = 1024; // listeners, vault, pages, and upstream connections that are kept
    constexpr rlim_t most_at_once = 4096;
    const rlim_t wanted = rlim_t{2} * connections + besides;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = std::min(wanted, limit.rlim_max);
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    // the kernel doubles its table where it is full, and then all threads wait for some 10 ms
    const int last = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC,
                             static_cast<int>(std::min({wanted, limit.rlim_cur, most_at_once}) - 1));
    if (last >= 0)
        ::close(last);
}

namespace {

/// Program and libraries: what is read-only comes back from the page cache when it is needed.
int let_go_of_image(dl_phdr_info* image, std::size_t, void*) {
    for (int i = 0; i < image->dlpi_phnum; ++i) {
        const auto& part = image->dlpi_phdr[i];
        if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0)
            continue;
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        const auto begin = (image->dlpi_addr + part.p_vaddr) / page * page;
        const auto end = image->dlpi_addr + part.p_vaddr + part.p_memsz;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as numbers
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
}

} // namespace

void let_go_of_start() {
    ::dl_iterate_phdr(let_go_of_image, nullptr);
    ::malloc_trim(0);
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
