// Who has the operator token proves it before he is sent anything: a nonce, and its HMAC by the token.
#pragma once

#include "core/base/secret.hpp"
#include "core/crypto/random.hpp"
#include "core/http/http_message.hpp"
#include "proxy/net/http_options.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Where the approval listener proves itself: GET, `nonce` in the query.
inline constexpr std::string_view proof_path = "/api/proof";

/// The answer to that nonce by who is reached as `authority` (the Host that he was asked by): an answer for
/// another address is worth nothing, so that nobody can pass the question on. 64 hexadecimal digits.
std::string operator_proof(const secret& key, std::string_view authority, std::string_view nonce);

/// The nonce of a query, if it is one: 32 to 128 hexadecimal digits.
std::optional<std::string> proof_nonce(std::string_view query);

/// The question to the server at `origin`, asked with that Host; an answer for one of `authorities` will do.
peer_proof ask_for_operator_proof(const secret& key, const std::string& origin, const std::string& host,
                                  std::vector<std::string> authorities, const random_source& random);

} // namespace reauth
