// Configuration values as text: durations, sizes, endpoints.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"
#include "core/text/uri.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// The path from the root, without `.` and `..`; empty stays empty.
std::string absolute_file(const std::string& path);

/// One word of a command line that is to be pasted into a shell.
std::string shell_word(std::string_view text);

/// ". Write https://…", where a URL was given without its scheme; else empty.
std::string scheme_hint(std::string_view url);

/// Where an upstream is given by its name or its URL: it is a URL.
inline bool names_url(std::string_view text) noexcept {
    return text.find("://") != text.npos;
}

/// What an upstream is called where only its URL is given: after its host, without what says nothing about it
/// (mcp.example.com: example); an address, or a name that makes none: upstream.
std::string name_for_host(std::string_view host);

/// The same for a whole URL, where several programs keep credentials in one vault: hosts of one name are told
/// apart by what else their URLs hold (mcp.example.com/team/mcp: example-3f9a51). The usual paths add
/// nothing.
std::string name_for_url(const http_url& url, const std::string& header_binding = "-");

/// What header fields a credential is bound to: a digest of names and values, in any order, `values` as they
/// are written (a file's path, a variable's name), so that a secret in them may change. "-": there are none.
std::string header_binding(std::vector<std::pair<std::string, std::string>> values);

/// `250ms`, `60s`, `15m`, `2h`, `7d`; whole numbers with a unit, at most 366 days. Nothing if it is not one.
std::optional<milliseconds> parse_duration(std::string_view text);
/// Bytes: `4MiB`, `64KiB`, `1GiB`, `10MB` (powers of ten), `512B` or a plain number; at most 1 TiB.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// Digits only, at most `most`.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t most);
/// `HOST:PORT`, `[IPV6]:PORT` or `unix:/PATH`; port 0 means any free one. The failure is one clause that says
/// what is wrong.
result<endpoint_config> parse_endpoint(std::string_view text);
/// An IP network in CIDR form, or an address.
bool is_network(std::string_view text);
constexpr bool is_ascii_alnum(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// A host name's or address's characters.
bool is_host(std::string_view text) noexcept;
/// A header field that the proxy or the client sets, in lower case: no configuration does.
bool is_own_header(std::string_view lower_name) noexcept;
/// RFC 9110 §5.6.2 token.
bool is_http_token(std::string_view text) noexcept;

/// `MCP_REAUTH_` and the key, upper case, with `_` for every other character: approval.listen →
/// MCP_REAUTH_APPROVAL_LISTEN.
std::string environment_name(std::string_view key);

} // namespace reauth
