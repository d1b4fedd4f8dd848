// http(s) URLs as OAuth needs them: strict parse, origin, loopback, prefix test. Issuers are plain strings
// and never go through here to be compared.
#pragma once

#include "core/base/failure.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace reauth {

/// A parsed absolute http or https URL without user info and fragment. Path and query keep their bytes.
struct http_url {
    std::string scheme;     ///< "http" or "https"
    std::string host;       ///< lower case; IPv6 in brackets
    std::uint16_t port = 0; ///< explicit or the scheme's default
    std::string path;       ///< as written; empty or starts with '/'
    std::string query;      ///< as written, without '?'
    bool has_query = false;

    bool https() const noexcept { return scheme == "https"; }
    /// scheme://host[:port], without a default port.
    std::string origin() const;
    /// host[:port], without a default port.
    std::string authority() const;
    /// path, "/" if it is empty, and ?query: what goes on the request line.
    std::string target() const;
    /// localhost, *.localhost, 127.0.0.0/8 or [::1].
    bool loopback() const noexcept;
};

/// Parses strictly: only http and https, a host, no user info, no fragment, at most 4096 bytes, no control
/// characters. `what` names the URL in the failure (fault::discovery_failed), e.g. "token_endpoint".
result<http_url> parse_http_url(std::string_view text, std::string_view what = "URL");

/// Where plain http will do: on loopback alone, or (an upstream's `allow_http`) where its network is trusted.
/// The egress rules still judge each host.
enum class plain_http : bool { on_loopback, allowed };

/// Like parse_http_url, and https unless the host is loopback (RFC 6749 §3.1, §3.2; RFC 8252 §7.3) or http is
/// allowed.
result<http_url> parse_secure_url(std::string_view text, std::string_view what = "URL",
                                  plain_http http = plain_http::on_loopback);

/// A reference (of a Location field, RFC 9110 §10.2.2) resolved against an absolute URL (RFC 3986 §5), its
/// fragment dropped.
result<http_url> resolve_reference(std::string_view base, std::string_view reference);

/// True for localhost, *.localhost, 127.0.0.0/8, ::1 (with or without brackets).
bool is_loopback_host(std::string_view host) noexcept;

bool same_origin(const http_url& a, const http_url& b) noexcept;
/// The same for texts; false if one cannot be parsed.
bool same_origin(std::string_view a, std::string_view b);

/// "host[:port]" of an http(s) URL; empty for anything else.
std::string authority_of(std::string_view url);

/// Origin of a text, or empty.
std::string origin_of(std::string_view url);
/// Host (without port) of a text, or empty.
std::string host_of(std::string_view url);

/// True if `resource` (RFC 9728 §3.3, RFC 8707) names the upstream: same origin, and its path is a
/// segment-wise prefix of the upstream's path. A trailing slash does not matter; dot segments, plain or
/// encoded, in either never match. A query in `resource` must equal the upstream's.
bool resource_covers(std::string_view resource, std::string_view upstream_url);

/// Appends one query parameter, encoded, to a URL that may have a query already.
void append_query(std::string& url, std::string_view name, std::string_view value);

/// The URL without query and fragment, byte for byte else (RFC 9449 §4.2 htu).
std::string without_query(std::string_view url);

} // namespace reauth
