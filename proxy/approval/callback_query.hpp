// What came back from the provider, read from the callback's query or from a URL that a person pasted.
#pragma once

#include "proxy/approval/approvals.hpp"

#include <string_view>

namespace reauth {

/// Reads the parameters of RFC 6749 §4.1.2 and RFC 9207 from a query (without '?'). One that is given twice
/// is refused (§3.1): two readers could take two different values. Fails with fault::reauth_failed.
result<callback_parameters> parse_callback_query(std::string_view query);

/// Reads them from what a person pasted: a whole URL, or only its query. The host does not matter: the URL
/// may have been opened on another device. A fragment is dropped.
result<callback_parameters> parse_pasted_callback(std::string_view text);

} // namespace reauth
