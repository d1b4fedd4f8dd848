// A person agreed: the silent work, and how it ends.
#include "policy/life/confirmation.hpp"

namespace reauth {

void confirmation::start() {
    if (flight_)
        return;
    for (auto* q : approvals_.in_phase(approval_phase::minting)) {
        const auto& r = q->record();
        if (!servers_.known_for(r))
            continue;
        const auto* held = state_.held();
        auto scopes = r.step_up && held ? r.silent_scopes.united_with(held->requested) : r.silent_scopes;
        flight_.order({r.silent, std::move(scopes), r.rule, q->id(), {}});
        flight_.launch(unsaved_.lock());
        return;
    }
}

void confirmation::flight_ended(const life::ended_flight& end) {
    auto* found = approvals_.find(end.approval);
    if (!found)
        return;
    auto& q = *found;
    if (!end.why) {
        approvals_.denials().approved();
        approve_answer done;
        done.done = true;
        approvals_.answer_askers(q, done);
        approvals_.end(end.approval, {approval_status::approved, "Approved: the request goes on."});
        return;
    }
    if (end.why->transient) { // the approval stays open
        q.reopen();
        approvals_.answer_askers(q, *end.why);
        return;
    }
    const bool to_idp =
        desk_.whose().grant == grant_kind::enterprise && session_.may_login() && !session_.usable();
    if (!to_idp) {
        approvals_.end(end.approval, {approval_status::failed, end.why->describe(), *end.why});
        return;
    }
    // the session has turned out to be gone: the same approval goes on with a login there
    q.wait_for_idp();
    session_.want(q.what(), true);
    if (!session_.approval().empty())
        pass_on(q, session_.approval());
}

void confirmation::pass_on(approval_request& q, const std::string& approval) {
    for (auto& wish : q.take_askers()) {
        wish.approval = approval;
        desk_.emit(life::pass_on_approve{std::move(wish)});
    }
}

void confirmation::server_missing(const failure& why) {
    for (auto* q : approvals_.in_phase(approval_phase::minting)) {
        q->reopen();
        approvals_.answer_askers(*q, why);
    }
}

void confirmation::session_came() {
    for (auto* q : approvals_.in_phase(approval_phase::at_idp))
        q->mint();
}

void confirmation::session_waits(const std::string& approval) {
    for (auto* q : approvals_.in_phase(approval_phase::at_idp))
        pass_on(*q, approval);
}

void confirmation::session_refused(const failure& why) {
    std::vector<std::string> there;
    for (const auto* q : approvals_.in_phase(approval_phase::at_idp))
        there.push_back(q->id());
    for (const auto& id : there)
        approvals_.end(id, {approval_status::failed, why.describe(), why});
}

} // namespace reauth
