// Redirect rules; pure.
#include "proxy/net/client_redirect.hpp"

#include "core/text/ascii.hpp"

#include <algorithm>
#include <array>

namespace reauth {

namespace {

failure refused_redirect(std::string message, std::string fix = {}) {
    return failure::permanent(fault::egress_refused, std::move(message), std::move(fix));
}

bool carries_credentials(const header_field& field) {
    constexpr std::array<std::string_view, 4> names{"authorization", "proxy-authorization", "cookie", "dpop"};
    return std::any_of(names.begin(), names.end(), [&](auto name) { return iequals(field.name, name); });
}

} // namespace

bool is_redirect(unsigned status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

result<void> follow_redirect(const http_response& answer, const http_url& from, http_request& request,
                             http_options& options) {
    if (request.method != "GET" && request.method != "HEAD")
        return refused_redirect("the server " + from.authority() + " redirects a " + request.method +
                                    " request; what is in it goes nowhere else",
                                "configure or publish the final URL");
    auto to = resolve_reference(from.origin() + from.target(), answer.header("location").value_or(""));
    if (!to)
        return refused_redirect("the server " + from.authority() +
                                " redirects to something that is not a URL");
    if (from.https() && !to->https())
        return refused_redirect("the server " + from.authority() + " redirects from https to http",
                                "use an https URL");
    if (!same_origin(from, *to)) {
        request.authorization = {};
        request.body = {};
        std::erase_if(request.headers, carries_credentials);
        options.client_cert.clear();
        options.client_key.clear();
    }
    request.url = to->origin() + to->target();
    return {};
}

} // namespace reauth
