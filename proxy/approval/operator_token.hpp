// The operator token: what the dashboard, the API and the CLI present to the approval listener.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"
#include "core/crypto/random.hpp"

#include <string>

namespace reauth {

/// Where the token is kept when the configuration names none: STATE_DIRECTORY/operator.token.
std::string operator_token_path(const std::string& state_directory);

/// The configured token, else the one in the state directory, else (if `create`) a new one of 256 random
/// bits, written there with mode 0600. Two processes that start together end with the same token. Refused
/// with fault::invalid_configuration: a token shorter than 16 characters, and a file that others may read.
result<secret> load_operator_token(const approval_config& config, const std::string& state_directory,
                                   const random_source& random, bool create);

} // namespace reauth
