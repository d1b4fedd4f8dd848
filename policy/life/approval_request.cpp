// Phases, and what each does to the record.
#include "policy/life/approval_request.hpp"

#include <algorithm>

namespace reauth {

approval_request::approval_request(approval_record record, life::refusal what)
    : record_(std::move(record)), what_(std::move(what)) {
    if (record_.shown.status == approval_status::approved)
        phase_ = approval_phase::allowed;
    else if (record_.shown.status == approval_status::authorizing && !record_.pending_state.empty())
        phase_ = approval_phase::authorizing;
    else
        record_.forget_flow();
}

bool approval_request::is(std::initializer_list<approval_phase> any) const noexcept {
    return std::find(any.begin(), any.end(), phase_) != any.end();
}

approve_answer approval_request::location(bool from_page) const {
    approve_answer where;
    where.location = record_.shown.location;
    where.user_code = record_.shown.user_code;
    where.verification_uri = record_.shown.verification_uri;
    if (from_page) {
        where.browser_binding = record_.browser_binding;
        where.state = record_.pending_state;
        where.redirect_uri = record_.redirect_uri;
    }
    return where;
}

void approval_request::start(life::work_id work) noexcept {
    phase_ = approval_phase::starting;
    work_ = work;
}

void approval_request::could_not_start(const std::string& trouble) {
    phase_ = approval_phase::pending;
    if (!trouble.empty())
        record_.shown.outcome = "The sign-in could not be begun: " + trouble + ".";
}

void approval_request::authorize(const begun_authorization& begun) {
    auto& a = record_.shown;
    const auto& flow = begun.pending;
    phase_ = approval_phase::authorizing;
    record_.pending_state = flow.state;
    record_.redirect_uri = flow.redirect_uri;
    record_.browser_binding.reset();
    if (!begun.browser_binding.empty())
        record_.browser_binding = begun.browser_binding;
    a.location = flow.location;
    a.location_until = flow.location_until;
    a.user_code = flow.user_code;
    a.verification_uri = flow.verification_uri;
    a.status = approval_status::authorizing;
    if (!flow.scopes.empty()) // what the URL asks for
        a.requested = flow.scopes;
    a.outcome.clear();
}

void approval_request::take_flow(const approval_record& told) {
    phase_ = approval_phase::authorizing;
    if (!(record_.pending_state == told.pending_state))
        device_wait_ = 0;
    record_.take_flow(told);
}

void approval_request::redeem(life::work_id work, life::caller_id caller, registered_client client) {
    phase_ = approval_phase::redeeming;
    work_ = work;
    callback_ = caller;
    client_ = std::move(client);
}

void approval_request::store(life::work_id work, credential fresh) {
    phase_ = approval_phase::storing;
    work_ = work;
    fresh_ = std::move(fresh);
}

credential approval_request::take_fresh() {
    return *std::exchange(fresh_, {});
}

void approval_request::back_to_pending(std::string outcome) {
    auto& a = record_.shown;
    phase_ = approval_phase::pending;
    work_ = device_wait_ = 0;
    record_.forget_flow();
    a.location.clear();
    a.location_until.reset();
    a.user_code.clear();
    a.verification_uri.clear();
    a.status = approval_status::pending;
    a.outcome = std::move(outcome);
}

void approval_request::end(approval_status status, std::string outcome) {
    record_.shown.status = status;
    record_.shown.outcome = std::move(outcome);
    record_.forget_flow();
}

void approval_request::allow(std::string outcome) {
    phase_ = approval_phase::allowed;
    record_.shown.status = approval_status::approved;
    record_.shown.outcome = std::move(outcome);
}

void approval_request::use(std::string outcome) {
    record_.shown.used = true;
    record_.shown.outcome = std::move(outcome);
}

void approval_request::take_remote(const approval& now) {
    record_.shown = now;
    if (now.status == approval_status::approved)
        phase_ = approval_phase::allowed;
}

} // namespace reauth
