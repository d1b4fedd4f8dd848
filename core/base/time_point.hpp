// The wall clock's time: of expiries, approvals and whatever is stored.
#pragma once

#include <chrono>

namespace reauth {

using wall_clock = std::chrono::system_clock;
using time_point = wall_clock::time_point;

} // namespace reauth
