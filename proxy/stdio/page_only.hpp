// An approval outlives the program that asked for it: the client gives up after a while and ends us, perhaps
// just as its person signs in. Then a process of our own shows the page until they are done.
#pragma once

#include "proxy/service/runtime.hpp"

namespace reauth {

/// Starts that process, if somebody looks at an approval of `s` now and no other process serves its upstream.
/// It is this program with `--page-only`, a session of its own, and no standard streams.
void leave_page_behind(const server& s);

/// What it does: serves the page while an approval waits and nobody else does, not longer than approvals
/// live.
void keep_page(server& s);

} // namespace reauth
