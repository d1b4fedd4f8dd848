// explain --recorded: recorded challenges before another policy.
#pragma once

#include "proxy/cli/command.hpp"

namespace reauth {

/// What would change, counted and listed; touches nothing but the running proxy's record.
int explain_recorded(const command_context& context);

} // namespace reauth
