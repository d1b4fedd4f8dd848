// Logins that nobody's request waits for, and the session at the identity provider that credentials are
// minted from.
#include "policy/life/credential_life.hpp"

namespace reauth {
namespace {

/// An ID token that ends sooner is not sent.
constexpr std::chrono::seconds usable_margin{5};

} // namespace

void credential_life::handle(const life::login_asked& e) {
    held_request r;
    r.what = e.what;
    r.arrived = next_++;
    r.login = e.caller;
    r.for_life = e.for_life;
    r.shown_upstream = e.upstream;
    requests_.push_back(std::move(r));
}

bool credential_life::session_usable() const {
    return session_.held &&
           (session_.renewable || !session_.expires_at || now_ + usable_margin < *session_.expires_at);
}

/// A login that is wanted without a request: always a question.
void credential_life::consider_login(held_request& r) {
    if (needs_discovery(r))
        return;
    if (r.for_life) {
        auto f = situation_of(r);
        failure why = failure::passing(fault::approval_denied, {});
        if (f.quiet_for) {
            why.message = "a person has denied this repeatedly; it may be asked again in " +
                          std::to_string(f.quiet_for->count()) + " s";
            why.fix = "run `mcp-reauth login " + r.shown_upstream + "` to sign in at once";
            fail(r, why);
            return;
        }
    }
    if (r.for_life && !r.looked) {
        look_first(r);
        return;
    }
    if (target_.grant == grant_kind::enterprise) {
        want_session(r);
        return;
    }
    recovery_plan plan;
    plan.person = target_.grant == grant_kind::idp_session ? recovery_step::idp_login : recovery_step::login;
    plan.login_scopes = first_scopes(target_.scopes, r.what.challenge.scope.value_or(scope_set{}),
                                     server_ ? server_->scopes_supported.value_or(scope_set{}) : scope_set{});
    if (held_ && !held_->value.requested.empty())
        plan.login_scopes = held_->value.requested;
    plan.silent_scopes = plan.login_scopes;
    auto opened = open_question(r, plan, false, r.for_life ? std::string() : "login by the operator");
    emit(life::answer_login{*r.login, std::move(opened)});
    drop_request(r);
}

/// r waits for a person's login at the identity provider: asked for once, whoever needs it.
void credential_life::want_session(held_request& r) {
    r.on = waits::session;
    if (!session_wanted_)
        emit(life::ask_session{r.what, r.login.has_value()});
    session_wanted_ = true;
    if (!session_approval_.empty())
        tell_session(r);
}

void credential_life::tell_session(held_request& r) {
    tell_waiting(r, session_approval_);
    if (r.login)
        emit(life::answer_login{*r.login, session_approval_});
    r.login_answered = r.login_answered || r.login.has_value();
    r.login.reset();
}

void credential_life::handle(const life::session_changed& e) {
    session_ = e;
    if (!session_usable())
        return;
    session_wanted_ = false;
    session_approval_.clear();
    for (auto& r : requests_)
        if (r.on == waits::session) {
            r.on = waits::nothing;
            r.asked = r.agreed = true;
            r.silent_failure.reset();
            if (r.login_answered) { // the login is done: what it was for is fetched in the background
                r.what.person = person_use::never;
                r.what.sent_generation = held_ ? held_->value.generation : 0;
            }
        }
    for (auto& [id, q] : questions_)
        if (q.phase == question_phase::at_idp)
            q.phase = question_phase::minting;
}

void credential_life::handle(const life::session_asked& e) {
    if (!e.approval) {
        handle(life::session_refused{e.approval.error()});
        return;
    }
    if (!session_wanted_)
        return;
    session_approval_ = *e.approval;
    for (auto& r : requests_)
        if (r.on == waits::session)
            tell_session(r);
    for (auto& [id, q] : questions_)
        if (q.phase == question_phase::at_idp) {
            for (const auto& s : q.starters)
                emit(life::answer_approve{s.caller, failure{}, *e.approval, s.who, s.from_page});
            q.starters.clear();
        }
}

void credential_life::handle(const life::session_refused& e) {
    session_wanted_ = false;
    session_approval_.clear();
    std::vector<std::uint64_t> waiting;
    for (const auto& r : requests_)
        if (r.on == waits::session)
            waiting.push_back(r.arrived);
    for (auto arrived : waiting) {
        auto& r = *find_request(arrived);
        if (e.again && r.id)
            r.on = waits::nothing;
        else
            fail(r, e.why);
    }
    std::vector<std::string> there;
    for (const auto& [id, q] : questions_)
        if (q.phase == question_phase::at_idp)
            there.push_back(id);
    for (const auto& id : there)
        end_question(id, approval_status::failed, e.why.describe(), e.why);
}

} // namespace reauth
