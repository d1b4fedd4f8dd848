// Secrets that are read anew each time they are needed: workload assertions, static tokens, supplied ID
// tokens.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"

namespace reauth {

/// The secret as it is now: a file is read again (trailing white space dropped), everything else is as
/// loaded. fault::invalid_configuration names the file.
result<secret> read_secret_now(const secret_source& source);

/// The same for a token, as it is sent (token_to_send()).
result<secret> read_token_now(const secret_source& source, token_form form = token_form::bearer);

} // namespace reauth
