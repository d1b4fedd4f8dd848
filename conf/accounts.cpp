// By name.
#include "conf/accounts.hpp"

#include <algorithm>

namespace reauth {

std::string_view without_account(std::string_view upstream) noexcept {
    return upstream.substr(0, upstream.find('@'));
}

bool is_called(std::string_view upstream, std::string_view name) noexcept {
    return upstream == name || (upstream != without_account(upstream) && without_account(upstream) == name);
}

const upstream_config* upstream_named(const config& c, std::string_view name) {
    const auto found = std::find_if(c.upstreams.begin(), c.upstreams.end(),
                                    [&](const auto& u) { return is_called(u.name, name); });
    return found == c.upstreams.end() ? nullptr : &*found;
}

} // namespace reauth
