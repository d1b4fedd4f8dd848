// The table built from a configuration, and looked up by host and path.
#include "proxy/relay/routing.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"
#include "proxy/net/tls.hpp"

#include <boost/url.hpp>

#include <algorithm>
#include <atomic>

namespace reauth {
namespace {

/// Matches an escape like %2e at `at`, in any case.
bool escape_at(std::string_view text, std::size_t at, char high, char low) noexcept {
    return at + 2 < text.size() && text[at] == '%' && text[at + 1] == high && (text[at + 2] | 0x20) == low;
}

bool dot_at(std::string_view text, std::size_t at, std::size_t& next) noexcept {
    if (at < text.size() && text[at] == '.') {
        next = at + 1;
        return true;
    }
    if (escape_at(text, at, '2', 'e')) {
        next = at + 3;
        return true;
    }
    return false;
}

/// "." or ".." in any spelling.
bool dot_segment(std::string_view segment) noexcept {
    std::size_t next = 0;
    if (!dot_at(segment, 0, next))
        return false;
    if (next == segment.size() || segment[next] == ';')
        return true;
    return dot_at(segment, next, next) && (next == segment.size() || segment[next] == ';');
}

std::string without_trailing_slash(std::string path) {
    while (!path.empty() && path.back() == '/')
        path.pop_back();
    return path;
}

result<std::unique_ptr<route>> make_route(const config& settings, const upstream_config& upstream,
                                          std::size_t number, credential_numbers& numbers) {
    auto url = boost::urls::parse_uri(upstream.url);
    if (!url)
        return failure::permanent(fault::invalid_configuration, "upstream " + upstream.name + ": not a URL");
    auto r = std::make_unique<route>();
    r->upstream = &upstream;
    r->number = number;
    r->tls = url->scheme_id() == boost::urls::scheme::https;
    const auto there = parse_http_url(upstream.url);
    if (settings.outbound && there && settings.outbound->applies_to(*there))
        r->proxy = &*settings.outbound;
    r->host = std::string(url->host_address());
    r->port = url->has_port() ? std::string(url->port()) : r->tls ? "443" : "80";
    r->authority = std::string(url->encoded_host());
    if (url->has_port() && r->port != (r->tls ? "443" : "80"))
        r->authority += ":" + r->port;
    r->origin = std::string(r->tls ? "https://" : "http://") + r->authority;
    r->base_path = std::string(url->encoded_path());
    if (r->base_path.empty())
        r->base_path = "/";
    if (url->has_query())
        r->base_query = std::string(url->encoded_query());
    r->pool_key = upstream.name + "|" + r->origin;
    if (r->tls)
        r->pool_key += "|" + upstream.tls.ca_file + "|" + upstream.tls.cert;
    for (const auto& [name, value] : upstream.headers) {
        r->static_lines += name + ": " + value + "\r\n";
        r->replaced += (r->replaced.empty() ? "" : ",") + name;
    }
    if (!iequals(upstream.token_header, "Authorization")) // the client's own of that name is none of ours
        r->replaced += (r->replaced.empty() ? "" : ",") + upstream.token_header;
    if (r->tls) {
        auto context = make_client_tls(upstream.tls);
        if (!context)
            return context.error();
        r->tls_context = *context;
    }
    for (const auto& entry : settings.client_auth) // a gateway's word is for us
        for (const auto& field : {entry.header.name, entry.header.groups, entry.header.secret_name})
            if (!field.empty())
                r->replaced += (r->replaced.empty() ? "" : ",") + field;
    // another origin or resource is another credential: what is held for the old one never goes to the new
    // one
    r->binding = numbers.number(upstream.name, r->origin + " " + upstream.resource);
    return r;
}

/// The same upstream by way of our own server: as it is, without credential, challenge or gate; those are met
/// on the way back.
std::unique_ptr<route> make_bridged(const route& to, const era_place& place) {
    auto r = std::make_unique<route>(to);
    r->tls = false;
    r->host = "127.0.0.1";
    r->port = std::to_string(place.port);
    r->authority = r->host + ":" + r->port;
    r->origin = "http://" + r->authority;
    r->base_path = to.upstream->path;
    r->base_query.clear();
    r->pool_key = to.upstream->name + "|era";
    r->static_lines = place.fields + "X-Mcp-Reauth-Upstream: " + to.upstream->name + "\r\n";
    r->replaced = "x-mcp-reauth-era,x-mcp-reauth-upstream";
    r->tls_context.reset();
    r->proxy = nullptr;
    r->to_bridge = true;
    return r;
}

/// Of clients with a bearer of their own; whom others vouch for is seen when they call.
void add_callers(routing_table& table) {
    const auto& entries = table.settings->client_auth;
    table.takes_tokens = takes(entries, caller_proof::jwt);
    table.takes_certificates = takes(entries, caller_proof::mtls);
    if (entries.empty()) {
        table.principals.emplace_back();
        table.callers.emplace_back();
    }
    for (const auto& entry : entries) {
        auto& one = table.callers.emplace_back();
        one.by_authorization = true;
        if (entry.open())
            continue;
        one.principal = principal_id::of(entry.principal);
        table.principals.push_back(one.principal);
    }
}

} // namespace

std::uint32_t credential_numbers::number(const std::string& upstream, const std::string& binding) {
    const auto next = static_cast<std::uint32_t>(numbers_.size());
    return numbers_.emplace(std::pair(upstream, binding), next).first->second;
}

result<std::shared_ptr<const routing_table>> make_routing_table(std::shared_ptr<const config> settings,
                                                                credential_numbers& numbers,
                                                                const std::optional<era_place>& eras) {
    static std::atomic<std::uint64_t> tables{0};
    auto table = std::make_shared<routing_table>();
    table->settings = settings;
    table->version = ++tables;
    add_callers(*table);
    for (const auto& upstream : settings->upstreams) {
        auto made = make_route(*settings, upstream, table->routes.size(), numbers);
        if (!made)
            return made.error();
        auto& r = *table->routes.emplace_back(std::move(*made));
        if (eras && upstream.era == era_mode::bridge)
            r.bridged = table->bridged.emplace_back(make_bridged(r, *eras)).get();
        table->mounts.push_back({without_trailing_slash(upstream.path), &r});
        auto own = without_trailing_slash(r.base_path);
        if (upstream.listen) {
            auto& mounts = table->dedicated[upstream.listen->to_string()];
            if (!own.empty())
                mounts.push_back({own, &r});
            mounts.push_back({"", &r});
        }
        for (const auto& alias : upstream.also_at)
            table->mounts.push_back({without_trailing_slash(alias), &r});
    }
    std::stable_sort(table->mounts.begin(), table->mounts.end(),
                     [](const mount& a, const mount& b) { return a.prefix.size() > b.prefix.size(); });
    return std::shared_ptr<const routing_table>(std::move(table));
}

const std::vector<mount>& listener_identity::mounts(const routing_table& table) const {
    static const std::vector<mount> none;
    if (!dedicated)
        return table.mounts;
    auto it = table.dedicated.find(address);
    return it == table.dedicated.end() ? none : it->second;
}

route_match find_route(const std::vector<mount>& mounts, std::string_view target) noexcept {
    auto mark = target.find('?');
    auto path = target.substr(0, mark);
    for (const auto& m : mounts) {
        if (path.size() < m.prefix.size() || path.compare(0, m.prefix.size(), m.prefix) != 0)
            continue;
        if (path.size() > m.prefix.size() && path[m.prefix.size()] != '/')
            continue;
        auto rest = path.substr(m.prefix.size());
        if (m.prefix.empty() && rest == "/")
            rest = {}; // the root of a mount at "/" is the upstream's URL itself
        return {m.to, rest, mark == std::string_view::npos ? std::string_view{} : target.substr(mark)};
    }
    return {};
}

const char* unsafe_path(std::string_view target) noexcept {
    auto path = target.substr(0, target.find('?'));
    for (std::size_t i = 0; i < path.size();) {
        auto slash = path.find('/', i);
        auto segment = path.substr(i, slash == std::string_view::npos ? slash : slash - i);
        if (!segment.empty() && (segment[0] == '.' || segment[0] == '%') && dot_segment(segment))
            return "dot segments in the path are refused";
        if (slash == std::string_view::npos)
            break;
        i = slash + 1;
    }
    for (auto at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
        if (escape_at(path, at, '2', 'f') || escape_at(path, at, '5', 'c'))
            return "encoded slashes and backslashes in the path are refused";
        if (escape_at(path, at, '0', '0'))
            return "an encoded NUL in the path is refused";
    }
    if (path.find('\\') != std::string_view::npos)
        return "backslashes in the path are refused";
    return nullptr;
}

bool oauth_metadata_path(std::string_view target) noexcept {
    auto path = target.substr(0, target.find('?'));
    auto at = path.find("/.well-known/");
    if (at == std::string_view::npos)
        return false;
    auto name = path.substr(at + 13);
    return name.substr(0, 6) == "oauth-" || name.substr(0, 20) == "openid-configuration";
}

void append_upstream_target(const route& to, const route_match& match, std::string& out) {
    std::string_view base = to.base_path;
    if (!match.rest.empty() && base.back() == '/')
        base.remove_suffix(1);
    out.append(base).append(match.rest);
    if (!to.base_query.empty()) {
        out.append(1, '?').append(to.base_query);
        if (match.query.size() > 1)
            out.append(1, '&').append(match.query.substr(1));
    } else {
        out.append(match.query);
    }
}

} // namespace reauth
