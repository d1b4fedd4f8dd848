// Requests that wait for a while and are sent again as they were: their token was just issued.
#include "policy/life/credential_life.hpp"

namespace reauth {

/// A token that was just issued: its server gets time to know it, before anything else is tried.
bool credential_life::pauses_first(held_request& r) {
    const bool refused = held_ && !r.what.notice_only && !target_.supplied &&
                         held_->value.generation == r.what.sent_generation &&
                         r.what.challenge.kind != challenge_kind::insufficient_scope &&
                         r.what.challenge.kind != challenge_kind::user_authentication;
    if (refused && r.what.had_worked)
        fresh_refusals_.worked(held_->value.generation);
    const auto again = refused ? fresh_refusals_.again_at(held_->value, now_) : std::nullopt;
    if (!again)
        return false;
    r.on = waits::pause;
    r.again = *again;
    emit(life::wake{*again});
    return true;
}

void credential_life::end_pauses() {
    std::vector<std::uint64_t> due;
    for (const auto& r : requests_)
        if (r.on == waits::pause && r.again <= now_)
            due.push_back(r.arrived);
    for (auto arrived : due) {
        auto& r = *find_request(arrived);
        if (r.id)
            emit(life::answer{r.id, life::verdict::replay, {}, {}, {}, false, true});
        drop_request(r);
    }
}

} // namespace reauth
