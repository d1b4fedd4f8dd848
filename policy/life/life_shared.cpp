// Questions are shared with all processes on the vault: each of them shows, decides and finishes them, and
// whoever waits here goes on.
#include "policy/life/credential_life.hpp"

namespace reauth {

shared_question credential_life::shared(const question& q) const {
    shared_question s;
    s.shown = q.shown;
    s.session = target_.grant == grant_kind::idp_session;
    s.name = target_.upstream;
    s.place = question_place(target_.url, target_.resource);
    s.login_scopes = q.login_scopes;
    s.silent_scopes = q.silent_scopes;
    s.silent = q.silent;
    s.person = q.person;
    s.step_up = q.step_up;
    s.rule = q.rule;
    s.generation = q.base_generation;
    s.resource_metadata = q.resource_metadata.empty() ? discovered_from_ : q.resource_metadata;
    if (q.shown.status == approval_status::authorizing) {
        s.pending_state = q.pending_state;
        s.redirect_uri = q.redirect_uri;
        s.browser_binding = q.browser_binding;
    }
    return s;
}

void credential_life::handle(const life::question_news& e) {
    const auto& told = e.now;
    if (told.place != question_place(target_.url, target_.resource))
        return; // of a server that another process calls by the same name
    if (decided(told.shown.status)) {
        ended_elsewhere(told);
        return;
    }
    const auto found = questions_.find(told.shown.id);
    if (found == questions_.end()) {
        if (!ended_.contains(told.shown.id) && now_ < told.shown.expires_at)
            opened_elsewhere(told);
        return;
    }
    // the person was sent to the provider by another process: the same flow for everybody who asks
    auto& q = found->second;
    const bool begun = told.shown.status == approval_status::authorizing && !told.pending_state.empty();
    if (!begun || (q.phase != question_phase::pending && q.phase != question_phase::authorizing))
        return;
    q.phase = question_phase::authorizing;
    q.shown.status = told.shown.status;
    q.shown.location = told.shown.location;
    q.shown.location_until = told.shown.location_until;
    q.shown.user_code = told.shown.user_code;
    q.shown.verification_uri = told.shown.verification_uri;
    q.shown.outcome = told.shown.outcome;
    if (!(q.pending_state == told.pending_state))
        q.device_wait = 0;
    q.pending_state = told.pending_state;
    q.redirect_uri = told.redirect_uri;
    q.browser_binding = told.browser_binding;
    emit(life::show{q.shown});
    watch_device(q);
}

/// A question of another process, or of an earlier run. One that asks for the same here, and that nobody has
/// acted on, was opened in the same moment: it gives way.
void credential_life::opened_elsewhere(const shared_question& told) {
    question q;
    q.shown = told.shown;
    q.login_scopes = told.login_scopes;
    q.silent_scopes = told.silent_scopes;
    q.silent = told.silent;
    q.person = told.person;
    q.step_up = told.step_up;
    q.rule = told.rule;
    q.resource_metadata = told.resource_metadata;
    q.base_generation = told.generation;
    q.what.challenge.resource_metadata = told.resource_metadata;
    q.what.client_name = told.shown.client_name;
    if (told.shown.status == approval_status::authorizing && !told.pending_state.empty()) {
        q.phase = question_phase::authorizing;
        q.pending_state = told.pending_state;
        q.redirect_uri = told.redirect_uri;
        q.browser_binding = told.browser_binding;
    }
    const auto id = q.shown.id;
    const auto same = joinable(q);
    if (!same.empty()) {
        auto& ours = questions_.at(same);
        if (ours.phase != question_phase::pending && ours.phase != question_phase::starting)
            return;
        emit(life::show{q.shown});
        for (const auto& s : std::exchange(ours.starters, {}))
            emit(life::answer_approve{s.caller, failure{}, id, s.who, s.from_page, s.method});
        move_waiting(same, id);
        watch_device(questions_.emplace(id, std::move(q)).first->second);
        const failure again = failure::passing(fault::approval_timeout, "another process asks for the same");
        // told to the vault too: that it was opened may still be on its way there
        end_question(same, approval_status::superseded, "Another process asks for the same.", again);
        return;
    }
    emit(life::show{q.shown});
    watch_device(questions_.emplace(id, std::move(q)).first->second);
    if (held_ && held_->saved &&
        !held_->value.expired_at(now_)) // it came through, and its process ended before it said so
        answer_covered("Answered by another sign-in.");
}

void credential_life::ended_elsewhere(const shared_question& told) {
    const auto& a = told.shown;
    const auto found = questions_.find(a.id);
    if (found == questions_.end()) {
        if (ended_.contains(a.id))
            return;
        remember_ended(a);
        emit(life::show{a});
        return;
    }
    auto& q = found->second;
    switch (a.status) {
    case approval_status::approved:
        // our own redemption comes to its end by itself
        if (q.phase == question_phase::redeeming || q.phase == question_phase::storing)
            return;
        denials_.approved();
        break;
    case approval_status::denied:
        count_denial(q);
        end_question(a.id, a.status, a.outcome,
                     failure::permanent(fault::approval_denied, "a person has denied this"), false);
        return;
    case approval_status::failed:
        end_question(a.id, a.status, a.outcome,
                     failure::permanent(fault::reauth_failed, a.outcome, "try again"), false);
        return;
    case approval_status::expired:
        end_question(a.id, a.status, a.outcome,
                     failure::passing(fault::approval_timeout, "nobody approved this in time",
                                      "try again to be asked again"),
                     false);
        return;
    default:
        break;
    }
    // what came of it is in the vault, where who waited looks first
    for (auto& r : requests_)
        if (r.on == waits::question && r.approval == a.id)
            r.looked = false;
    failure over;
    if (a.status != approval_status::approved)
        over = failure::passing(fault::approval_denied, a.outcome); // other lives that waited for it ask anew
    end_question(a.id, a.status, a.outcome, std::move(over), false);
}

/// A question that was opened elsewhere: where its server is may not be known here yet.
bool credential_life::knows_server_for(question& q) {
    if (server_ || target_.supplied || target_.grant == grant_kind::static_token)
        return true;
    if (!discovery_)
        start_discovery(q.resource_metadata);
    return false;
}

} // namespace reauth
