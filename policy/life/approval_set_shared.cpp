// Approvals are shared with all processes on the vault: each of them shows, decides and finishes them, and
// whoever waits here goes on.
#include "policy/life/approval_set.hpp"

namespace reauth {

void approval_set::on_remote_approval(const approval_record& told) {
    if (told.place != binding_place(desk_.whose().url, desk_.whose().resource))
        return; // of a server that another process calls by the same name
    if (decided(told.shown.status)) {
        ended_elsewhere(told);
        return;
    }
    auto* q = find(told.shown.id);
    if (!q) {
        if (!ended_.contains(told.shown.id) && desk_.now() < told.shown.expires_at)
            opened_elsewhere(told);
        return;
    }
    // the person was sent to the provider by another process: the same flow for everybody who asks
    const bool begun = told.shown.status == approval_status::authorizing && !told.pending_state.empty();
    if (!begun || !q->is({approval_phase::pending, approval_phase::authorizing}))
        return;
    q->take_flow(told);
    desk_.emit(life::show{q->shown()});
    watch_device(*q);
}

/// One that asks for the same here, and that nobody has acted on, was opened in the same moment: it gives
/// way.
void approval_set::opened_elsewhere(const approval_record& told) {
    life::refusal what;
    what.challenge.resource_metadata = told.resource_metadata;
    what.client_name = told.shown.client_name;
    approval_request theirs(told, std::move(what));
    const auto same = joinable(told);
    if (same.empty()) {
        desk_.emit(life::show{told.shown});
        watch_device(add(std::move(theirs)));
        const auto* held = state_.held();
        if (held && state_.saved() &&
            !held->expired_at(desk_.now())) // it came through, and its process ended before it said so
            answer_covered("Answered by another sign-in.");
        return;
    }
    auto& ours = *find(same);
    if (!ours.is({approval_phase::pending, approval_phase::starting}))
        return;
    desk_.emit(life::show{told.shown});
    for (auto& wish : ours.take_askers()) {
        wish.approval = told.shown.id;
        desk_.emit(life::pass_on_approve{std::move(wish)});
    }
    board_.approval_replaced(same, told.shown.id);
    watch_device(add(std::move(theirs)));
    // told to the vault too: that ours was opened may still be on its way there
    end(same, {approval_status::superseded, "Another process asks for the same.",
               failure::passing(fault::approval_timeout, "another process asks for the same")});
}

void approval_set::ended_elsewhere(const approval_record& told) {
    const auto& a = told.shown;
    const auto* q = find(a.id);
    if (!q) {
        if (ended_.contains(a.id))
            return;
        remember_end(a);
        desk_.emit(life::show{a});
        return;
    }
    approval_end how{a.status, a.outcome, {}, false};
    switch (a.status) {
    case approval_status::approved:
        // our own redemption comes to its end by itself
        if (q->is({approval_phase::redeeming, approval_phase::storing}))
            return;
        denials_.approved();
        how.in_vault = true;
        break;
    case approval_status::denied:
        note_denial(*q);
        how.why = failure::permanent(fault::approval_denied, "a person has denied this");
        break;
    case approval_status::failed:
        how.why = failure::permanent(fault::reauth_failed, a.outcome, "try again");
        break;
    case approval_status::expired:
        how.why = failure::passing(fault::approval_timeout, "nobody approved this in time",
                                   "try again to be asked again");
        break;
    default:
        how.why =
            failure::passing(fault::approval_denied, a.outcome); // other lives that waited for it ask anew
        how.in_vault = true;
        break;
    }
    end(a.id, std::move(how));
}

} // namespace reauth
