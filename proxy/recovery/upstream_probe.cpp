// The one request.
#include "proxy/recovery/upstream_probe.hpp"

#include "core/json/json_reader.hpp"
#include "core/mcp/mcp_extensions.hpp"
#include "core/text/uri.hpp"

namespace reauth {

http_request upstream_probe(const upstream_config& upstream) {
    http_request r;
    r.method = "POST";
    r.url = upstream.url;
    r.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json, text/event-stream"}};
    for (const auto& [name, value] : upstream.headers)
        r.headers.push_back({name, value});
    r.body =
        secret(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
               R"("capabilities":)" +
               json_text(with_our_extensions(nlohmann::json::object())) +
               R"(,"clientInfo":{"name":"mcp-reauth","version":")" REAUTH_VERSION R"("}}})");
    return r;
}

fetch_options options_for(const upstream_config& upstream, std::chrono::milliseconds timeout) {
    fetch_options o;
    o.timeout = timeout;
    if (auto parsed = parse_http_url(upstream.url))
        o.trusted_hosts = {parsed->authority(), parsed->host};
    o.http = upstream.http();
    o.ipv4_only = upstream.prefer == address_family::ipv4;
    o.ca_file = upstream.tls.ca_file;
    o.client_cert = upstream.tls.cert;
    o.client_key = upstream.tls.key;
    return o;
}

discovery_request discovery_of(const upstream_config& upstream, std::string resource_metadata) {
    discovery_request wanted;
    wanted.upstream_url = upstream.url;
    wanted.resource_metadata = std::move(resource_metadata);
    wanted.configured_issuer = upstream.client.issuer;
    wanted.resource = upstream.resource;
    wanted.configured_server = upstream.authorization_server;
    wanted.http = upstream.http();
    return wanted;
}

} // namespace reauth
