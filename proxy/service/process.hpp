// What a process that runs the proxy does besides: it keeps its memory to itself, and says that it is there.
#pragma once

#include "proxy/service/running_file.hpp"
#include "proxy/service/runtime.hpp"

#include <memory>

namespace reauth {

/// Tokens live in our memory: no core file, no ptrace by other processes of the same user.
void forbid_dumps();

/// As many descriptors as so many client connections need, as far as the hard limit goes; the kernel's table
/// for the first of them is made now. Before there are other threads.
void make_room_for_descriptors(unsigned connections);

/// Memory that only the start needed goes back to the system: pages of the program and its libraries, and of
/// the heap. Once everything runs.
void let_go_of_start();

/// The note by which the command line finds this process, in this user's own state directory; gone with what
/// is returned. Where it can't be left the log says so.
std::unique_ptr<running_file> leave_note(const server& s);

} // namespace reauth
