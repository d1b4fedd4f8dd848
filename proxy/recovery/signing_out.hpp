// Several sign-outs as one.
#pragma once

#include "proxy/recovery/life_registry.hpp"
#include "proxy/recovery/pending_replies.hpp"

#include <vector>

namespace reauth {

/// All begin at once, so that none can be minted anew in between; the first trouble is in the report.
/// `identity_ended`: as for life::sign_out_asked.
task<revocation_report> sign_out_of(recovery_context& context, life_registry& lives, pending_replies& replies,
                                    std::vector<life_key> keys, bool identity_ended = false);

} // namespace reauth
