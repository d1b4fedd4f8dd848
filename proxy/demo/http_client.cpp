// The demo's blocking requests: the HTTP client on a loop of its own, without redirects.
#include "proxy/demo/http_client.hpp"

#include "proxy/net/http_client.hpp"

namespace reauth {

result<http_response> demo_http(const std::string& method, const std::string& url,
                                std::vector<header_field> headers, std::string body,
                                std::chrono::milliseconds timeout) {
    http_request request;
    request.method = method;
    request.url = url;
    request.headers = std::move(headers);
    request.body = secret(std::move(body));
    http_options options;
    options.timeout = timeout;
    options.redirects = false;
    options.max_body = 64u << 20;
    return fetch_now(std::move(request), std::move(options), egress_rules());
}

} // namespace reauth
