// By name.
#include "conf/accounts.hpp"

#include <algorithm>

namespace reauth {

std::string_view without_account(std::string_view upstream) noexcept {
    return upstream.substr(0, upstream.find('@'));
}

const upstream_config* upstream_named(const config& c, std::string_view name) {
    const auto found = std::find_if(c.upstreams.begin(), c.upstreams.end(), [&](const auto& u) {
        return u.name == name || (!u.account.empty() && without_account(u.name) == name);
    });
    return found == c.upstreams.end() ? nullptr : &*found;
}

} // namespace reauth
