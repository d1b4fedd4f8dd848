// The one request.
#include "proxy/recovery/upstream_probe.hpp"

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

} // namespace reauth
