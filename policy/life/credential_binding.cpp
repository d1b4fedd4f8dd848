// Origin, resource, headers.
#include "policy/life/credential_binding.hpp"

#include "core/text/uri.hpp"

namespace reauth {

bool credential_binding::covers(const credential& c) const {
    if (session())
        return c.issuer == url && c.client_id == resource;
    if (!c.headers.empty() && c.headers != headers)
        return false;
    const auto origin = origin_of(url);
    // records of before origins were kept: their resource tells
    const bool same_origin_as_ours =
        c.origin.empty() ? !c.resource.empty() && origin_of(c.resource) == origin : c.origin == origin;
    if (!same_origin_as_ours)
        return false;
    if (resource == "omit")
        return c.resource.empty();
    if (resource == "auto")
        return c.resource.empty() || resource_covers(c.resource, url);
    return c.resource == resource;
}

bool credential_binding::moved_from(const credential_binding& before) const {
    return origin_of(url) != origin_of(before.url) || resource != before.resource ||
           headers != before.headers || grant != before.grant || supplied != before.supplied;
}

} // namespace reauth
