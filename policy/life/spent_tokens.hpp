// Refresh tokens that an answer came to: whoever sends one again loses the whole family (RFC 9700
// section 4.14.2).
#pragma once

#include "policy/life/life_events.hpp"

#include <deque>
#include <map>

namespace reauth {

class spent_tokens {
public:
    /// It is on its way to the server, for this work.
    void sent(life::work_id work, secret refresh_token) { sent_[work] = std::move(refresh_token); }
    void answered(const life::flow_ended& e);
    bool contains(const credential& c) const;

private:
    static constexpr std::size_t remembered = 32;
    std::map<life::work_id, secret> sent_;
    std::deque<secret> spent_;
};

} // namespace reauth
