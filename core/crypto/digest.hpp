// SHA-256 and HMAC-SHA-256 as raw bytes; MD5 for names that others have chosen.
#pragma once

#include <string>
#include <string_view>

namespace reauth {

/// SHA-256 (FIPS 180-4): 32 raw bytes.
std::string sha256(std::string_view data);
/// HMAC-SHA-256 (RFC 2104): 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view data);
/// MD5 (RFC 1321): 16 raw bytes. It protects nothing: mcp-remote names its files by it.
std::string md5(std::string_view data);

} // namespace reauth
