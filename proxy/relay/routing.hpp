// Which upstream a request goes to: an immutable table made from a configuration, swapped whole at a reload.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"
#include "core/http/http_head.hpp"
#include "proxy/relay/caller.hpp"

#include <boost/asio/ssl/context.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

namespace asio = boost::asio;

/// Where an upstream is and how to reach it, worked out once.
struct route {
    const upstream_config* upstream = nullptr; ///< into the table's config
    std::size_t number = 0;                    ///< position among the upstreams
    bool tls = false;
    std::string host; ///< without brackets
    std::string port;
    std::string authority; ///< Host field: host[:port], as in the URL
    std::string origin;    ///< scheme://authority
    std::string base_path; ///< path of the URL, no trailing slash added or removed; "/" at least
    std::string base_query;
    /// Whose kept connections may be used: the TLS settings are part of it, since a connection made with one
    /// client certificate serves no other.
    std::string pool_key;
    std::string static_lines; ///< configured headers, whole lines
    std::string replaced;     ///< their names: "x-org,x-team"
    std::shared_ptr<asio::ssl::context> tls_context;
    const outbound_proxy* proxy = nullptr; ///< into the table's config; nullptr: straight
    std::uint32_t binding = 0; ///< number of what credentials for it are bound to (credential_numbers)
    bool to_bridge = false;    ///< to our own server: without credential, challenge or gate
    /// Where clients of the 2025 revisions go instead (`era: bridge`): our own server, which comes back here.
    const route* bridged = nullptr;
};

/// Our own server for `era: bridge`, and what it knows its visitors by.
struct era_place {
    std::uint16_t port = 0;
    std::string fields; ///< whole lines
};

/// A prefix of request paths.
struct mount {
    std::string prefix; ///< "/github"; empty for the root
    const route* to = nullptr;
};

/// Everything a worker needs to serve requests.
struct routing_table {
    std::shared_ptr<const config> settings;
    std::uint64_t version = 0;            ///< another for each table that is made
    std::vector<principal_id> principals; ///< that config::client_auth names; without it: "local"
    bool takes_tokens = false, takes_certificates = false; ///< an entry of config::client_auth does
    std::vector<caller>
        callers; ///< by entry of config::client_auth; used are those of bearers; without it: one
    std::vector<std::unique_ptr<route>> routes;
    std::vector<std::unique_ptr<route>> bridged; ///< route::bridged
    std::vector<mount> mounts;                   ///< of the main listener, longest prefix first
    std::map<std::string, std::vector<mount>>
        dedicated; ///< of upstreams with a `listen` of their own, by that address
};

/// The credential of one (upstream, principal), as workers and control know it: what it is bound to, and the
/// principal's number. The same while the process lives.
using credential_number = std::uint64_t;

/// Where a request goes and on whose behalf: the configuration it began with, the upstream, the principal.
struct request_target {
    std::shared_ptr<const routing_table> table;
    const route* to = nullptr; ///< into `table`
    principal_id principal;

    const config& settings() const { return *table->settings; }
    const upstream_config& upstream() const { return *to->upstream; }
    credential_number credential() const noexcept {
        return static_cast<credential_number>(to->binding) << 32 | principal.number();
    }
};

/// Numbers what credentials are bound to: an upstream with its origin and resource. A number never changes
/// while the process lives.
class credential_numbers {
public:
    std::uint32_t number(const std::string& upstream, const std::string& binding);

private:
    std::map<std::pair<std::string, std::string>, std::uint32_t> numbers_;
};

/// Builds the table; fails where TLS files can't be read or a URL is wrong.
result<std::shared_ptr<const routing_table>> make_routing_table(std::shared_ptr<const config> settings,
                                                                credential_numbers& numbers,
                                                                const std::optional<era_place>& eras = {});

/// What a target maps to.
struct route_match {
    const route* to = nullptr;
    std::string_view rest;  ///< path behind the prefix, "" or "/…"
    std::string_view query; ///< with its '?', or empty
};

/// A listener as its sessions know it; lives as long as the process.
struct listener_identity {
    std::string address;    ///< as configured; key of routing_table::dedicated
    bool dedicated = false; ///< serves one upstream only
    bool loopback = true;
    bool any_address = false; ///< bound to 0.0.0.0 or ::
    bool within = false;      ///< connections from this very process
    std::uint16_t port = 0;   ///< 0 for a Unix socket
    const std::vector<mount>& mounts(const routing_table& table) const;
};

/// Finds the mount for an origin-form target. `to` stays null where none fits.
route_match find_route(const std::vector<mount>& mounts, std::string_view target) noexcept;

/// Why a path is refused (dot segments, encoded slashes or backslashes), or nullptr.
const char* unsafe_path(std::string_view target) noexcept;

/// Whether the target is OAuth metadata, which is shielded: clients would begin an OAuth dance of their own.
bool oauth_metadata_path(std::string_view target) noexcept;

/// Appends the target to ask the upstream for.
void append_upstream_target(const route& to, const route_match& match, std::string& out);

} // namespace reauth
