// Which answers spend a refresh token.
#include "policy/life/spent_tokens.hpp"

#include "policy/flows/refresh_flow.hpp"

#include <algorithm>

namespace reauth {

void spent_tokens::answered(const life::flow_ended& e) {
    auto sent = sent_.extract(e.work);
    if (sent.empty() || (!e.fresh && e.fresh.error().transient))
        return;
    // refused without a word of its own: it may be good again when the cause is mended
    if (!e.fresh && refuses_refresh(e.fresh.error()) && !ends_grant(e.fresh.error()))
        return;
    // a server that does not rotate gives the same one again
    if (e.fresh && e.fresh->refresh_token == sent.mapped())
        return;
    spent_.push_back(std::move(sent.mapped()));
    if (spent_.size() > remembered)
        spent_.pop_front();
}

bool spent_tokens::contains(const credential& c) const {
    return !c.refresh_token.empty() &&
           std::find(spent_.begin(), spent_.end(), c.refresh_token) != spent_.end();
}

} // namespace reauth
