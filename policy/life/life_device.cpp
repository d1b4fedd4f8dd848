// A login on another device (RFC 8628): no callback comes, the token endpoint is asked.
#include "policy/life/credential_life.hpp"

namespace reauth {

/// Of a device login nobody comes back: the token endpoint is asked.
void credential_life::watch_device(question& q) {
    if (q.phase != question_phase::authorizing || q.shown.user_code.empty() || q.device_wait)
        return;
    q.device_wait = next_++;
    emit(life::await_device{q.device_wait, q.pending_state});
}

void credential_life::device_ended(question& q, const life::flow_ended& e) {
    q.device_wait = 0;
    if (e.fresh) {
        if (e.client)
            q.client = *e.client;
        redeemed(q, e);
        return;
    }
    const auto& why = e.fresh.error();
    if (why.oauth_error == life::flow_is_gone)
        return; // whoever took it tells what became of it
    if (why.code == fault::approval_timeout) {
        report(life::audit::kind::sign_in, "device login", &why, q.rule, {}, q.shown.client_name);
        emit(life::discard_pending{q.pending_state, q.shown.id});
        back_to_pending(q, why.describe());
        return;
    }
    redemption_failed(q, e);
}

/// Nobody is under way to a provider for it any more.
void credential_life::back_to_pending(question& q, std::string outcome) {
    q.phase = question_phase::pending;
    q.work = q.device_wait = 0;
    q.pending_state = secret();
    q.browser_binding.reset();
    q.shown.location.clear();
    q.shown.location_until.reset();
    q.shown.user_code.clear();
    q.shown.verification_uri.clear();
    q.shown.status = approval_status::pending;
    q.shown.outcome = std::move(outcome);
    show(q);
}

} // namespace reauth
