// The one request.
#include "proxy/recovery/upstream_probe.hpp"

#include "core/uri.hpp"

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
               R"("capabilities":{},"clientInfo":{"name":"mcp-reauth","version":")" REAUTH_VERSION R"("}}})");
    return r;
}

fetch_options options_for(const std::string& url, const tls_client_config& tls,
                          std::chrono::milliseconds timeout) {
    fetch_options o;
    o.timeout = timeout;
    if (auto parsed = parse_http_url(url))
        o.trusted_hosts = {parsed->authority()};
    o.ca_file = tls.ca_file;
    o.client_cert = tls.cert;
    o.client_key = tls.key;
    return o;
}

} // namespace reauth
