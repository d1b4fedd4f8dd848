// `cookies: jar`: what the upstream sets stays with us, and goes back to it alone.
#include "proxy/relay/exchange.hpp"

namespace reauth {

/// The Cookie line of this session; empty: none. Without a session nothing is kept: two clients would share
/// it.
std::string exchange::kept_cookies() const {
    const auto session = s_.memory->head.value(field_id::mcp_session_id);
    if (session.empty())
        return {};
    const auto value =
        w_.limits.cookies.header_for(where_.credential(), session, s_.memory->target, wall_clock::now());
    return value.empty() ? value : "Cookie: " + value + "\r\n";
}

/// What the upstream sets stays here, with the session that the answer begins or the request belongs to.
void exchange::keep_cookies() {
    const auto& answer = s_.memory->up->answer;
    auto session = answer.value(field_id::mcp_session_id);
    if (session.empty())
        session = s_.memory->head.value(field_id::mcp_session_id);
    if (session.empty())
        return;
    if (s_.memory->head.method == "DELETE" && answer.status < 300) {
        w_.limits.cookies.forget(where_.credential(), session);
        return;
    }
    for (const auto& f : answer)
        if (f.id == field_id::set_cookie)
            w_.limits.cookies.take(where_.credential(), session, f.value, where_.to->host, s_.memory->target,
                                   wall_clock::now());
}

} // namespace reauth
