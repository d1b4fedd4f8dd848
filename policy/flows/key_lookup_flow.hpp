// The keys that an issuer signs with (RFC 7517): its metadata, where no URL is configured, and then the set.
#pragma once

#include "policy/flows/discovery_flow.hpp"
#include "policy/flows/flow.hpp"

#include <string>

namespace reauth {

/// The JWKS document of `issuer`, at `jwks_uri` or, where that is empty, where its metadata says (OpenID
/// Connect Discovery, RFC 8414; the document has to be that issuer's). At most 256 KiB, and with at least one
/// key. fault::authorization_server_unavailable, transient, unless the metadata is another's.
flow<result<std::string>> look_up_keys(std::string issuer, std::string jwks_uri);

} // namespace reauth
