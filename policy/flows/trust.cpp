// Issuer, hosts and schemes compared.
#include "policy/flows/trust.hpp"

#include "core/text/uri.hpp"

namespace reauth {
namespace {

failure not_pinned(const trust_check& q, const std::string& issuer, std::string message) {
    return failure::permanent(fault::issuer_not_pinned, std::move(message),
                              "if you trust it, add under upstreams." + q.upstream +
                                  ".client the line: issuer: \"" + issuer + "\"");
}

} // namespace

result<void> may_send_secret(const trust_check& q, const authorization_server& server) {
    const auto& issuer = server.issuer;
    const std::string what = q.what;
    if (!q.configured_issuer.empty()) {
        if (q.configured_issuer == issuer)
            return {};
        return not_pinned(q, issuer,
                          "upstream " + q.upstream + " names the authorization server " + issuer +
                              ", but client.issuer is " + q.configured_issuer + ", so " + what +
                              " does not go there");
    }
    if (!is_loopback_host(host_of(issuer)) && !same_origin(issuer, q.upstream_url))
        return not_pinned(q, issuer,
                          "upstream " + q.upstream + " names the authorization server " + issuer +
                              ", which the configuration does not name, so " + what + " does not go there");
    // An unnamed issuer vouches for nothing but itself: its metadata must not lead the secret elsewhere.
    if (!same_origin(server.token_endpoint, issuer))
        return not_pinned(q, issuer,
                          "the authorization server " + issuer + " of upstream " + q.upstream +
                              " has its token endpoint at " + origin_of(server.token_endpoint) + ", so " +
                              what + " does not go there");
    return {};
}

result<void> check_pin(std::string_view upstream, std::string_view pinned, std::string_view issuer) {
    if (pinned.empty() || pinned == issuer)
        return {};
    return failure::permanent(fault::issuer_changed,
                              "upstream " + std::string(upstream) + " now names the authorization server " +
                                  std::string(issuer) + " instead of " + std::string(pinned) +
                                  ", which was approved",
                              "log in again to approve the new one, or set client.issuer of the upstream");
}

bool use_dpop(dpop_policy policy, const protected_resource* resource, bool challenged_dpop,
              bool challenged_bearer) {
    if (policy != dpop_policy::automatic)
        return policy == dpop_policy::require;
    if (resource && resource->dpop_bound_access_tokens_required)
        return true;
    return challenged_dpop && !challenged_bearer;
}

} // namespace reauth
