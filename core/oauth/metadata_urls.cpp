// Well-known locations of discovery documents.
#include "core/oauth/metadata.hpp"

#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {

namespace {

// RFC 8414 §3.1, RFC 9728 §3.1: a terminating slash goes before the well-known part is put in front.
std::string path_of(const http_url& url) {
    std::string out = url.path;
    if (out.ends_with('/'))
        out.pop_back();
    return out;
}

} // namespace

result<void> usable_metadata_url(std::string_view challenge_url, plain_http http) {
    if (auto url = parse_secure_url(challenge_url, "the challenge's resource_metadata", http); !url)
        return url.error();
    return {};
}

std::vector<std::string> resource_metadata_urls(std::string_view upstream_url, std::string_view challenge_url,
                                                plain_http http) {
    std::vector<std::string> out;
    const auto add = [&](std::string url) {
        if (std::find(out.begin(), out.end(), url) == out.end())
            out.push_back(std::move(url));
    };
    if (!challenge_url.empty() && usable_metadata_url(challenge_url, http))
        add(std::string(challenge_url));
    if (const auto upstream = parse_http_url(upstream_url)) {
        const std::string well_known = upstream->origin() + "/.well-known/oauth-protected-resource";
        if (const auto path = path_of(*upstream); !path.empty() || upstream->has_query)
            add(well_known + path + (upstream->has_query ? "?" + upstream->query : ""));
        add(well_known);
    }
    return out;
}

result<std::vector<std::string>> server_metadata_urls(std::string_view issuer, plain_http http) {
    const auto url = parse_secure_url(issuer, "the issuer " + clean_text(issuer), http);
    if (!url)
        return url.error();
    if (url->has_query)
        return failure::permanent(fault::discovery_failed,
                                  "the issuer " + clean_text(issuer) + " has a query",
                                  "an issuer has none (RFC 8414 §2)");
    const std::string path = path_of(*url);
    const std::string origin = url->origin();
    std::vector<std::string> out{origin + "/.well-known/oauth-authorization-server" + path,
                                 origin + "/.well-known/openid-configuration" + path};
    if (!path.empty())
        out.push_back(origin + path + "/.well-known/openid-configuration");
    return out;
}

} // namespace reauth
