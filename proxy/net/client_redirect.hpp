// Where a redirect leads, and what may travel along.
#pragma once

#include "core/http/http_message.hpp"
#include "core/text/uri.hpp"
#include "proxy/net/http_options.hpp"

namespace reauth {

/// True for the redirects of RFC 9110 §15.4 that name another place for the same request.
bool is_redirect(unsigned status) noexcept;

/// Turns `request` (made to `from`) into the one that `answer` asks for. Only GET and HEAD, never from https
/// to http. To another origin go neither credentials nor a client certificate. fault::egress_refused.
result<void> follow_redirect(const http_response& answer, const http_url& from, http_request& request,
                             http_options& options);

} // namespace reauth
