// Redirect rules; pure.
#include "proxy/recovery/fetcher_redirect.hpp"

#include "core/ascii.hpp"

#include <boost/url.hpp>

#include <algorithm>
#include <array>

namespace reauth {

namespace {

failure refused_redirect(std::string message, std::string fix = {}) {
    return {fault::egress_refused, std::move(message), std::move(fix), {}, false};
}

bool carries_credentials(const header_field& field) {
    constexpr std::array<std::string_view, 4> names{"authorization", "proxy-authorization", "cookie", "dpop"};
    return std::any_of(names.begin(), names.end(), [&](auto name) { return iequals(field.name, name); });
}

/// `location` (RFC 9110 §10.2.2) against the URL it came from, without its fragment.
result<http_url> target_of(std::string_view location, const http_url& from) {
    const auto base_text = from.origin() + from.target();
    const auto base = boost::urls::parse_uri(base_text);
    const auto reference =
        boost::urls::parse_uri_reference(boost::core::string_view(location.data(), location.size()));
    boost::urls::url target;
    if (base.has_error() || reference.has_error() ||
        boost::urls::resolve(*base, *reference, target).has_error())
        return refused_redirect("The server " + from.authority() +
                                " redirects to something that is not a URL.");
    target.remove_fragment();
    const auto text = target.buffer();
    return parse_http_url({text.data(), text.size()}, "The redirect target");
}

} // namespace

bool is_redirect(unsigned status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

result<void> follow_redirect(const http_response& answer, const http_url& from, http_request& request,
                             fetch_options& options) {
    if (request.method != "GET" && request.method != "HEAD")
        return refused_redirect("The server " + from.authority() + " redirects a " + request.method +
                                    " request; what is in it goes nowhere else.",
                                "Configure or publish the final URL.");
    auto to = target_of(answer.header("location").value_or(""), from);
    if (!to)
        return to.error();
    if (from.https() && !to->https())
        return refused_redirect("The server " + from.authority() + " redirects from https to http.",
                                "Use an https URL.");
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
