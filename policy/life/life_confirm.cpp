// `confirm`: a person agrees first, and the rest is silent.
#include "policy/life/credential_life.hpp"

namespace reauth {

/// Confirmed questions take their turn when no other silent work is under way.
void credential_life::start_confirmed() {
    if (flight_)
        return;
    for (auto& [id, q] : questions_)
        if (q.phase == question_phase::minting && knows_server_for(q)) {
            make_flight(q.silent,
                        q.step_up && held_ ? q.silent_scopes.united_with(held_->value.requested)
                                           : q.silent_scopes,
                        q.rule, id);
            launch_flight();
            return;
        }
}

/// `confirm`: a person agreed, and the rest was silent.
void credential_life::confirmed_flight_ended(const std::string& id, const failure* why) {
    const auto found = questions_.find(id);
    if (found == questions_.end())
        return;
    auto& q = found->second;
    if (!why) {
        denials_.approved();
        approve_answer done;
        done.done = true;
        answer_starters(q, result<approve_answer>(done));
        end_question(id, approval_status::approved, "Approved: the request goes on.", {});
        return;
    }
    if (why->transient) { // the question stays open
        q.phase = question_phase::pending;
        answer_starters(q, result<approve_answer>(*why));
        return;
    }
    const bool to_idp = target_.grant == grant_kind::enterprise && session_.may_login && !session_usable();
    if (!to_idp) {
        end_question(id, approval_status::failed, why->describe(), *why);
        return;
    }
    // the session has turned out to be gone: the same question goes on with a login there
    q.phase = question_phase::at_idp;
    if (!session_wanted_)
        emit(life::ask_session{q.what, true});
    session_wanted_ = true;
    if (!session_approval_.empty()) {
        for (const auto& s : std::exchange(q.starters, {}))
            emit(life::answer_approve{s.caller, failure{}, session_approval_, s.who, s.from_page});
    }
}

} // namespace reauth
