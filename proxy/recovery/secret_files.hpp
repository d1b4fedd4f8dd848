// Secrets that are read anew each time they are needed: workload assertions, static tokens, supplied ID
// tokens.
#pragma once

#include "conf/config.hpp"
#include "core/failure.hpp"

namespace reauth {

/// The secret as it is now: a file is read again (trailing white space dropped), everything else is as
/// loaded. fault::invalid_configuration names the file.
result<secret> read_secret_now(const secret_source& source);

/// The same for a token that is sent as it is: it passes the check of a token answer (sendable_token()).
result<secret> read_token_now(const secret_source& source);

} // namespace reauth
