// What a caller hears whom we do not know: a protected resource's answers (RFC 6750, RFC 9728).
#pragma once

#include "conf/config.hpp"
#include "proxy/relay/caller_gate.hpp"

#include <string>
#include <string_view>

namespace reauth {

/// Whether the target is our own protected resource metadata; `path` is what it is about ("/github").
bool protected_resource_path(std::string_view target, std::string_view& path) noexcept;

/// Our metadata for that path: the issuers whose tokens are taken, and the scopes that are demanded. `host`
/// is the request's Host.
std::string protected_resource(const config& settings, std::string_view host, std::string_view path);

/// Appends the whole answer to a request for `target` that came with `refused`: 401 with a challenge where
/// tokens are taken, 403 where the token lacks a scope or none would help, 503 where the issuer's keys can't
/// be had. Of the token it says nothing but the one word.
void append_caller_refusal(std::string& out, const config& settings, std::string_view host,
                           std::string_view target, const caller_check& refused, bool close, bool head_only);

/// Appends a 429: limits.requests_per_principal.
void append_too_many(std::string& out, std::string_view principal, bool close, bool head_only);

} // namespace reauth
