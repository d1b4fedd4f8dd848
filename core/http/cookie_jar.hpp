// The cookies of one upstream for one session, as a user agent keeps them (RFC 6265), with one origin only:
// what a sticky load balancer needs.
#pragma once

#include "core/base/secret.hpp"
#include "core/base/time_point.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

class cookie_jar {
public:
    /// More than these are not kept; the oldest give way.
    static constexpr std::size_t most_cookies = 32, largest_cookie = 4096;

    /// Takes a Set-Cookie value of an answer to a request for `path` at `host`. Ignored: what is for another
    /// domain, has no name, or is too large.
    void take(std::string_view set_cookie, std::string_view host, std::string_view path, time_point now);
    /// The value of the Cookie field for a request to that path; empty: none.
    std::string header_for(std::string_view path, time_point now) const;
    bool empty() const noexcept { return cookies_.empty(); }

private:
    struct cookie {
        std::string name, path;
        secret value;
        std::optional<time_point> expires_at;
    };
    std::vector<cookie> cookies_;
};

} // namespace reauth
