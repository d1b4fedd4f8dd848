// Parked, told, answered.
#include "policy/life/waiting_requests.hpp"

#include <algorithm>

namespace reauth {

void waiting_requests::arrive(life::request_id id, life::refusal what) {
    waiting_request r;
    r.id = id;
    r.what = std::move(what);
    r.arrived = desk_.number();
    all_.push_back(std::move(r));
}

void waiting_requests::arrive(const life::login_asked& e) {
    waiting_request r;
    r.what = e.what;
    r.arrived = desk_.number();
    r.login = e.caller;
    r.for_life = e.for_life;
    r.shown_upstream = e.upstream;
    all_.push_back(std::move(r));
}

void waiting_requests::withdraw(life::request_id id) {
    all_.remove_if([&](const waiting_request& r) { return r.id == id && r.id != 0; });
}

std::size_t waiting_requests::served_by_login() const {
    return static_cast<std::size_t>(std::count_if(
        all_.begin(), all_.end(), [](const auto& r) { return r.id && r.on != waits::anything; }));
}

waiting_request* waiting_requests::next() {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [](const auto& r) { return r.on == waits::nothing; });
    return found == all_.end() ? nullptr : &*found;
}

waiting_request& waiting_requests::find(std::uint64_t arrived) {
    return *std::find_if(all_.begin(), all_.end(), [&](const auto& r) { return r.arrived == arrived; });
}

/// Answering one changes the list: whom to answer is found first.
template<class Which>
std::vector<std::uint64_t> waiting_requests::those(Which which) const {
    std::vector<std::uint64_t> found;
    for (const auto& r : all_)
        if (which(r))
            found.push_back(r.arrived);
    return found;
}

void waiting_requests::drop(const waiting_request& r) {
    all_.remove_if([arrived = r.arrived](const waiting_request& other) { return other.arrived == arrived; });
}

void waiting_requests::answer(const waiting_request& r, recovery_verdict verdict) {
    if (r.id)
        desk_.emit(life::answer{std::move(verdict), r.id});
    drop(r);
}

void waiting_requests::replay(const waiting_request& r) {
    recovery_verdict again;
    again.is = recovery_verdict::kind::replay;
    again.person_waited = r.asked;
    answer(r, std::move(again));
}

void waiting_requests::replay_same(const waiting_request& r) {
    recovery_verdict again;
    again.is = recovery_verdict::kind::replay;
    again.same_credential = true;
    answer(r, std::move(again));
}

void waiting_requests::relay(const waiting_request& r, const failure& why) {
    recovery_verdict theirs;
    theirs.is = recovery_verdict::kind::relay;
    theirs.why = why;
    answer(r, std::move(theirs));
}

void waiting_requests::fail(const waiting_request& r, failure why, const challenge_facts* facts) {
    if (r.id) {
        life::answer a;
        a.request = r.id;
        a.is = recovery_verdict::kind::fail;
        a.reason =
            facts ? std::string(to_string(facts->reason)) : std::string(to_string(r.what.challenge.kind));
        if (facts)
            a.required_scopes = facts->added.tokens();
        if (a.required_scopes.empty() && r.what.challenge.scope)
            a.required_scopes = r.what.challenge.scope->tokens();
        a.why = why;
        desk_.emit(std::move(a));
    }
    if (r.login)
        desk_.emit(life::answer_login{*r.login, result<std::string>(std::move(why))});
    drop(r);
}

void waiting_requests::answer_login(const waiting_request& r, result<std::string> approval) {
    desk_.emit(life::answer_login{*r.login, std::move(approval)});
    drop(r);
}

void waiting_requests::tell(const waiting_request& r, const std::string& approval, std::string trouble) {
    if (r.id)
        desk_.emit(
            life::tell_waiting{r.id, approval, r.wait, r.required_scopes, r.reason, std::move(trouble)});
}

void waiting_requests::park(waiting_request& r, waits on, life::work_id work) {
    r.on = on;
    r.work = work;
}

void waiting_requests::wait_for_approval(waiting_request& r, const std::string& approval) {
    r.on = waits::approval;
    r.approval = approval;
    tell(r, approval);
    if (!r.id)
        drop(r);
}

void waiting_requests::wait_for_session(waiting_request& r, const std::string& approval) {
    r.on = waits::session;
    if (!approval.empty())
        tell_session(r, approval);
}

void waiting_requests::pause(waiting_request& r, time_point until) {
    r.on = waits::pause;
    r.until = until;
    desk_.emit(life::wake{until});
}

void waiting_requests::discovery_ended(life::work_id work, const failure* why) {
    const auto waiting = those([&](const auto& r) { return r.on == waits::discovery && r.work == work; });
    for (const auto arrived : waiting) {
        auto& r = find(arrived);
        r.on = waits::nothing;
        r.discovered = true;
        if (why)
            fail(r, *why);
    }
}

void waiting_requests::look_ended(life::work_id work) {
    for (auto& r : all_)
        if (r.on == waits::look && r.work == work) {
            r.on = waits::nothing;
            r.looked = true;
        }
}

void waiting_requests::flight_ended(const life::ended_flight& end) {
    for (auto& r : all_)
        if (r.on == waits::flight && r.work == end.id) {
            r.on = waits::nothing;
            if (end.why && r.wanted == end.scopes)
                r.silent_failure = end.why;
        }
}

void waiting_requests::approval_ended(const life::ended_approval& end) {
    const auto parked = those([&](const auto& r) { return r.on == waits::approval && r.approval == end.id; });
    for (const auto arrived : parked) {
        auto& r = find(arrived);
        if (end.again()) {
            r.on = waits::nothing;
            r.asked = r.asked || end.approved();
        } else {
            fail(r, end.why);
        }
    }
}

void waiting_requests::approval_replaced(const std::string& before, const std::string& now) {
    for (auto& r : all_)
        if (r.on == waits::approval && r.approval == before) {
            r.approval = now;
            tell(r, now);
        }
}

void waiting_requests::approval_troubled(const std::string& id, const std::string& trouble) {
    for (const auto& r : all_)
        if (r.on == waits::approval && r.approval == id)
            tell(r, id, trouble);
}

void waiting_requests::look_again_after(const std::string& approval) {
    for (auto& r : all_)
        if (r.on == waits::approval && r.approval == approval)
            r.looked = false;
}

void waiting_requests::tell_session(waiting_request& r, const std::string& approval) {
    tell(r, approval);
    if (r.login)
        desk_.emit(life::answer_login{*r.login, approval});
    r.login_answered = r.login_answered || r.login.has_value();
    r.login.reset();
}

void waiting_requests::session_waits(const std::string& approval) {
    for (auto& r : all_)
        if (r.on == waits::session)
            tell_session(r, approval);
}

void waiting_requests::session_came() {
    for (auto& r : all_)
        if (r.on == waits::session) {
            r.on = waits::nothing;
            r.asked = r.agreed = true;
            r.silent_failure.reset();
            if (r.login_answered) { // the login is done: what it was for is fetched in the background
                r.what.person = person_use::never;
                r.what.sent_generation = state_.generation();
            }
        }
}

void waiting_requests::session_refused(const failure& why, bool again) {
    const auto waiting = those([](const auto& r) { return r.on == waits::session; });
    for (const auto arrived : waiting) {
        auto& r = find(arrived);
        if (again && r.id)
            r.on = waits::nothing;
        else
            fail(r, why);
    }
}

void waiting_requests::pauses_ended() {
    const auto due = those([&](const auto& r) { return r.on == waits::pause && r.until <= desk_.now(); });
    for (const auto arrived : due)
        replay_same(find(arrived));
}

void waiting_requests::release_served() {
    for (auto& r : all_)
        if (!r.login && r.what.sent_generation < state_.generation() && r.on != waits::nothing) {
            r.asked = r.asked || r.on == waits::approval || r.on == waits::session;
            r.on = waits::nothing;
        }
}

void waiting_requests::renumbered(std::uint64_t before, std::uint64_t now) {
    for (auto& r : all_) {
        if (r.what.sent_generation == before)
            r.what.sent_generation = now;
        if (r.what.first_generation == before)
            r.what.first_generation = now;
    }
}

void waiting_requests::judge_anew() {
    // a login that was answered with the provider's approval: what it was to fetch was signed out of
    all_.remove_if([](const waiting_request& r) { return r.login_answered && !r.login; });
    for (auto& r : all_) {
        r.silent_failure.reset();
        r.discovered = r.looked = false;
        if (r.on != waits::anything)
            r.on = waits::nothing;
    }
}

failure identity_gone() {
    return failure::permanent(fault::identity_ended, "whoever this was sent for was signed out meanwhile",
                              "sign in with the company again");
}

void waiting_requests::fail_all(const failure& why) {
    while (!all_.empty())
        fail(all_.front(), why);
}

} // namespace reauth
