// Questions: opened, joined, superseded, approved, denied, expired.
#include "policy/life/credential_life.hpp"

#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t remembered_ends = 64;

} // namespace

/// The id of an open question that asks for the same.
std::string credential_life::joinable(const question& wanted) const {
    for (const auto& [id, q] : questions_)
        if (q.login_scopes == wanted.login_scopes && q.silent.empty() == wanted.silent.empty() &&
            q.shown.acr_values == wanted.shown.acr_values && q.shown.max_age == wanted.shown.max_age)
            return id;
    return {};
}

/// Questions nobody has acted on, and that ask for less.
std::vector<std::string> credential_life::narrower_than(const question& wanted) const {
    std::vector<std::string> narrower;
    for (const auto& [id, q] : questions_)
        if (q.phase == question_phase::pending && !q.login_scopes.empty() &&
            q.silent.empty() == wanted.silent.empty() && wanted.login_scopes.covers(q.login_scopes) &&
            q.shown.acr_values == wanted.shown.acr_values && q.shown.max_age == wanted.shown.max_age)
            narrower.push_back(id);
    return narrower;
}

/// Who waits for the one waits for the other.
void credential_life::move_waiting(const std::string& from, const std::string& to) {
    for (auto& r : requests_)
        if (r.on == waits::question && r.approval == from) {
            r.approval = to;
            tell_waiting(r, to);
        }
}

/// For this process and all others.
void credential_life::show(const question& q) {
    emit(life::show{q.shown, shared(q)});
}

/// What the authorization URL will ask for: begin_authorization() adds offline_access likewise.
scope_set credential_life::asked_scopes(const recovery_plan& plan) const {
    auto asked = plan.login_scopes;
    if (plan.person == recovery_step::login)
        asked = asked.united_with(target_.always_asked);
    if (plan.person == recovery_step::login && server_ && !asked.empty() &&
        server_->server.offers_offline_access())
        asked.add("offline_access");
    return asked;
}

/// What is asked for at this moment: a step-up keeps what was granted since it was opened, and what others
/// are about to be granted (SEP-2350).
scope_set credential_life::asked_now(const question& q) const {
    auto scopes = q.login_scopes;
    if (!q.step_up)
        return scopes;
    if (held_)
        scopes = scopes.united_with(held_->value.requested);
    for (const auto& [id, other] : questions_)
        if (&other != &q && other.step_up && other.phase != question_phase::pending)
            scopes = scopes.united_with(other.login_scopes);
    return scopes;
}

/// Opens a question, or joins the one that asks for the same. fault::overloaded: too many are open.
result<std::string> credential_life::open_question(const held_request& r, const recovery_plan& plan,
                                                   bool confirm_first, const std::string& rule) {
    question q;
    q.login_scopes = plan.login_scopes;
    q.silent_scopes = plan.silent_scopes;
    if (confirm_first)
        q.silent = plan.silent;
    q.step_up = plan.step_up;
    q.person = plan.person.value_or(recovery_step::login);
    q.rule = rule;
    q.what = r.what;
    q.base_generation = vault_generation_;
    if (r.what.challenge.kind == challenge_kind::user_authentication) {
        q.shown.acr_values = r.what.challenge.acr_values;
        q.shown.max_age = r.what.challenge.max_age;
    }
    if (auto same = joinable(q); !same.empty())
        return same;
    auto id = hex_encode(random_(8));
    const auto narrower = narrower_than(q);
    if (questions_.size() - narrower.size() >= questions_at_once)
        return failure::passing(fault::overloaded,
                                std::to_string(questions_.size()) + " approvals wait for upstream " +
                                    target_.upstream + " already",
                                "decide one of them first (`mcp-reauth approvals` lists them)");
    auto& a = q.shown;
    a.id = id;
    a.link_secret = secret(base64url_encode(random_(16)));
    a.kind = target_.grant == grant_kind::idp_session ? approval_kind::idp_login
             : plan.step_up                           ? approval_kind::step_up
                                                      : approval_kind::login;
    a.upstream = r.shown_upstream.empty() ? target_.upstream : r.shown_upstream;
    a.principal = target_.principal;
    a.reason = r.login && !r.for_life
                   ? to_string(challenge_reason::unauthorized)
                   : to_string(r.for_life ? reason_for(r.what.challenge.kind).value_or(plan.judged_as)
                                          : plan.judged_as);
    if (held_ && target_.grant != grant_kind::idp_session)
        a.granted = held_->value.granted;
    a.requested = asked_scopes(plan);
    // what was asked before and not granted (offline_access, often) is nothing new
    a.added = held_ && target_.grant != grant_kind::idp_session ? plan.added : a.requested;
    for (const auto& o : r.what.operations)
        if (a.method.empty() && !o.method.empty()) {
            a.method = o.method;
            a.tool = o.tool;
        }
    a.client_name = r.what.client_name;
    a.arguments = r.what.arguments;
    a.wished = r.login && !r.for_life;
    a.upstream_host = authority_of(target_.url);
    note_servers(a);
    a.completes_without_login = confirm_first;
    a.created_at = now_;
    a.expires_at = now_ + target_.approval_lifetime;
    a.outcome = std::exchange(interrupted_note_, {});
    show(q);
    questions_.emplace(id, std::move(q));
    for (const auto& less : narrower) {
        move_waiting(less, id);
        end_question(less, approval_status::superseded, "A wider question took its place.", {});
    }
    return id;
}

void credential_life::remember_ended(const approval& a) {
    ended_[a.id] = {a.status, a.outcome};
    ended_order_.push_back(a.id);
    if (ended_order_.size() > remembered_ends) {
        ended_.erase(ended_order_.front());
        ended_order_.erase(ended_order_.begin());
    }
}

void credential_life::answer_starters(question& q, const result<approve_answer>& answer) {
    for (const auto& s : std::exchange(q.starters, {}))
        emit(life::answer_approve{s.caller, answer, {}, s.who, s.from_page, s.method});
}

/// The end of a question, whatever its phase: only its own work is void. Who waited for it is answered with
/// `why` (denied, expired, failed), or considered again (approved, signed out).
void credential_life::end_question(const std::string& id, approval_status status, std::string outcome,
                                   failure why, bool share) {
    auto node = questions_.extract(id);
    if (node.empty())
        return;
    auto& q = node.mapped();
    q.shown.status = status;
    q.shown.outcome = std::move(outcome);
    if (share)
        show(q);
    else
        emit(life::show{q.shown});
    remember_ended(q.shown);
    const bool approved = status == approval_status::approved;
    if (approved) { // somebody was faster than the flow that they wait for
        approve_answer done;
        done.done = true;
        answer_starters(q, result<approve_answer>(done));
    }
    if (!approved && !q.pending_state.empty())
        emit(life::discard_pending{q.pending_state, id,
                                   status == approval_status::denied || status == approval_status::expired});
    if (!approved) {
        const failure over{why.message.empty() ? fault::approval_timeout : why.code,
                           "this approval has ended: " + q.shown.outcome,
                           why.fix,
                           {},
                           false};
        answer_starters(q, result<approve_answer>(over));
        if (q.callback)
            emit(life::answer_callback{*q.callback, {false, "This sign-in has ended", q.shown.outcome, id}});
        if (q.fresh) {
            give_up(*q.fresh, {}, q.client);
            if (q.phase == question_phase::storing)
                void_stores_.emplace(q.work, life::undo_store{*q.fresh, to_put_back()});
        }
        if (flight_ && flight_->approval == id)
            drop_flight(true);
    }
    std::vector<std::uint64_t> parked;
    for (const auto& r : requests_)
        if (r.on == waits::question && r.approval == id)
            parked.push_back(r.arrived);
    const bool again =
        approved || status == approval_status::signed_out || status == approval_status::superseded;
    for (auto arrived : parked) {
        auto& r = *find_request(arrived);
        if (again) {
            r.on = waits::nothing;
            r.asked = r.asked || approved;
        } else {
            fail(r, why);
        }
    }
    if (!approved && !why.message.empty())
        emit(life::question_refused{id, std::move(why), again});
}

void credential_life::handle(const life::approve_asked& e) {
    const auto found = questions_.find(e.approval);
    if (found == questions_.end()) {
        const auto ended = ended_.find(e.approval);
        failure gone = failure::permanent(fault::approval_timeout, "this approval is not open any more");
        if (ended != ended_.end())
            gone.message = "this approval has ended (" + std::string(to_string(ended->second.status)) +
                           "): " + ended->second.outcome;
        emit(life::answer_approve{e.caller, gone, {}, e.who, e.from_page, e.method});
        return;
    }
    auto& q = found->second;
    const starter s{e.caller, e.who, e.from_page, e.method};
    const bool by_device = !q.shown.user_code.empty();
    const bool another_way = (e.method == sign_in_method::device && !by_device) ||
                             (e.method == sign_in_method::browser && by_device);
    const bool too_late = q.shown.location_until && *q.shown.location_until <= now_;
    if (q.phase == question_phase::authorizing && (another_way || too_late)) {
        emit(life::discard_pending{q.pending_state, e.approval});
        back_to_pending(q, {});
    }
    if (!q.silent.empty() && e.who != approver::operator_token) {
        const failure not_yours = failure::permanent(
            fault::approval_required, "this approval is completed without a login, so it needs the operator",
            "run `mcp-reauth approve " + e.approval + "`, or open the dashboard");
        emit(life::answer_approve{e.caller, not_yours, {}, e.who, e.from_page, e.method});
        return;
    }
    switch (q.phase) {
    case question_phase::pending:
        q.starters.push_back(s);
        if (!q.silent.empty()) {
            q.phase = question_phase::minting;
            return;
        }
        q.phase = question_phase::starting;
        q.work = next_++;
        // whoever is told in the meantime that there is no answer hears whose it is that is missing
        tell_who_waits(q,
                       (server_ ? server_->issuer() : "the authorization server") + " has not answered yet");
        emit(life::begin_sign_in{q.work, e.approval, q.login_scopes, asked_now(q), server_, e.from_page,
                                 challenged_dpop_, challenged_bearer_, q.resource_metadata, pinned_issuer_,
                                 e.method, q.shown.acr_values, q.shown.max_age, prompt_login_,
                                 register_scopes_});
        return;
    case question_phase::starting:
    case question_phase::minting:
        q.starters.push_back(s);
        return;
    case question_phase::at_idp:
        if (session_approval_.empty())
            q.starters.push_back(s);
        else
            emit(life::answer_approve{e.caller, failure{}, session_approval_, e.who, e.from_page, e.method});
        return;
    case question_phase::authorizing:
    case question_phase::redeeming:
    case question_phase::storing:
        give_location(q, s);
        return;
    }
}

void credential_life::count_denial(const question& q) {
    denials_.denied(now_);
    if (denied_.size() >= remembered_ends)
        denied_.clear();
    denied_[q.login_scopes.to_string()] = next_++;
}

void credential_life::handle(const life::deny_asked& e) {
    const auto found = questions_.find(e.approval);
    if (found == questions_.end()) {
        const failure gone =
            failure::permanent(fault::approval_timeout, "this approval is not open any more");
        emit(life::answer_deny{e.caller, gone});
        return;
    }
    count_denial(found->second);
    const failure no = failure::permanent(fault::approval_denied, "a person has denied this");
    auto rule = found->second.rule;
    auto client = found->second.shown.client_name;
    end_question(e.approval, approval_status::denied, "Denied.", no);
    life::audit line;
    line.what = life::audit::kind::decision;
    line.how = "denied";
    line.rule = std::move(rule);
    line.client = std::move(client);
    line.approval = e.approval;
    emit(std::move(line));
    emit(life::answer_deny{e.caller, result<void>{}});
}

void credential_life::expire_questions() {
    std::vector<std::string> late;
    for (const auto& [id, q] : questions_)
        if (q.shown.expires_at <= now_)
            late.push_back(id);
    for (const auto& id : late)
        end_question(id, approval_status::expired, "Nobody decided in time. The next request asks again.",
                     failure::passing(fault::approval_timeout, "nobody approved this in time",
                                      "try again to be asked again"));
}

} // namespace reauth
