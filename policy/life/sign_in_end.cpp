// From the callback, or the device's answer, to the credential in force.
#include "policy/life/sign_in.hpp"

#include "core/text/uri.hpp"
#include "policy/flows/refresh_flow.hpp"

namespace reauth {

bool sign_in::on(const life::flow_ended& e) {
    if (auto* q = approvals_.with_work(e.work); q && q->phase() == approval_phase::redeeming) {
        redeemed(*q, e);
        return true;
    }
    if (auto* q = approvals_.with_device_wait(e.work)) {
        device_ended(*q, e);
        return true;
    }
    return false;
}

void sign_in::device_ended(approval_request& q, const life::flow_ended& e) {
    q.wait_for_device(0);
    if (e.gone)
        return; // whoever took it tells what became of it
    if (e.fresh) {
        if (e.client)
            q.issued_to(*e.client);
        redeemed(q, e);
        return;
    }
    const auto why = e.fresh.error();
    if (why.code != fault::approval_timeout) {
        redemption_failed(q, e);
        return;
    }
    report_failure(life::happening::device_login, q, why);
    desk_.emit(life::discard_pending{q.record().pending_state, q.id()});
    q.back_to_pending(why.describe());
    approvals_.show(q);
}

void sign_in::redeemed(approval_request& q, const life::flow_ended& e) {
    if (!e.fresh) {
        redemption_failed(q, e);
        return;
    }
    auto fresh = *e.fresh;
    fresh.origin = origin_of(desk_.whose().url);
    fresh.headers = desk_.whose().headers;
    fresh.generation = state_.next_generation();
    servers_.remember_with(fresh, e.server);
    store(q, std::move(fresh));
}

void sign_in::store(approval_request& q, credential fresh) {
    q.store(desk_.number(), std::move(fresh));
    desk_.emit(life::store{q.work(), *q.fresh(), state_.vault().generation(), true});
}

/// The server has forgotten something that the next try brings again.
void sign_in::try_once_more(approval_request& q, const failure& why, const std::string& detail) {
    if (const auto caller = q.take_callback())
        desk_.emit(
            life::answer_callback{*caller, {false, "This sign-in can't be completed", detail, q.id()}});
    q.back_to_pending(why.describe());
    approvals_.show(q);
}

/// A code is good for one try: this flow is over, and whoever waits learns why.
void sign_in::redemption_failed(approval_request& q, const life::flow_ended& e) {
    const auto why = e.fresh.error();
    const bool idp = desk_.whose().session();
    report_failure(idp ? life::happening::idp_login : life::happening::login, q, why);
    q.flow_was_taken();
    const bool login_wanted = wants_login(why) && !state_.login_wanted(); // asked for already, it is final
    if (login_wanted)
        state_.want_login();
    register_scopes_ = register_scopes_ || e.register_scopes;
    if (login_wanted) {
        try_once_more(q, why,
                      "The provider wants you to sign in again, although you were signed in there (" +
                          why.message + "). The next try asks it for that: approve once more.");
        return;
    }
    if (why.oauth_error == "invalid_request" && desk_.whose().one_of_accounts && !knows_no_choice_) {
        knows_no_choice_ = true;
        try_once_more(
            q, why,
            "The provider does not offer a choice of accounts (" + why.message +
                "). The next try does without: approve once more, and look as whom you sign in there.");
        return;
    }
    if (e.client_unknown) {
        try_once_more(q, why,
                      e.register_scopes
                          ? "The provider allows this client no scope (" + why.message +
                                "). It is registered anew, with them, at the next try: approve once more."
                          : "The provider refused this client, which it has probably forgotten (" +
                                why.message + "). It is registered anew at the next try: approve once more.");
        return;
    }
    const auto id = q.id();
    callback_outcome said{false, "This sign-in can't be completed", why.describe(), id};
    const bool denied = why.code == fault::approval_denied; // by a person: check_callback() tells
    if (denied) {
        said.title = idp ? "Denied at the identity provider" : "Denied at the provider";
        approvals_.denials().denied(desk_.now());
    }
    if (const auto caller = q.take_callback())
        desk_.emit(life::answer_callback{*caller, std::move(said)});
    approvals_.end(id, {denied ? approval_status::denied : approval_status::failed, why.describe(), why});
}

bool sign_in::on(const life::stored& e) {
    auto* q = approvals_.with_work(e.work);
    if (!q || q->phase() != approval_phase::storing)
        return false;
    stored(*q, e);
    return true;
}

void sign_in::stored(approval_request& q, const life::stored& e) {
    if (e.is == life::store_result::newer) {
        const bool signed_out =
            state_.vault().foreign_tombstone(e.found) && e.found.generation > q.record().generation;
        state_.vault().seen(e.found.generation);
        if (signed_out) {
            board_.signed_out_elsewhere();
            return;
        }
        // what a person has just approved replaces what was renewed meanwhile, which is what a denial would
        // go back to
        board_.adopt(e.found);
        auto fresh = q.take_fresh();
        fresh.generation = state_.next_generation();
        store(q, std::move(fresh));
        return;
    }
    if (e.is == life::store_result::failed)
        board_.keep_unsaved(e.why, {}, true);
    done(q, e.is == life::store_result::saved);
}

/// What the page says of a credential that ends with its access token; empty: it can be renewed.
std::string sign_in::lack_of_refresh_token() const {
    const auto& held = *state_.held();
    if (!held.refresh_token.empty() || !held.expires_at)
        return {};
    const auto left = std::chrono::ceil<std::chrono::minutes>(*held.expires_at - desk_.now()).count();
    return " It brought no refresh token: you will be asked again when it ends, in " + std::to_string(left) +
           " min (`mcp-reauth doctor` says what would help).";
}

namespace {

/// Where somebody else has come back than was signed in before.
std::string another_account(const credential_state::account& before, const credential& now) {
    const bool compared_by_subject = !before.subject.empty() && !now.subject.empty();
    const bool same = compared_by_subject ? before.subject == now.subject : before.shown == now.account;
    if (before.shown.empty() || now.account.empty() || same)
        return {};
    return "This is another account than before, which was " + before.shown +
           ". If that was not intended, sign out of " + now.account + " here and approve once more.";
}

} // namespace

callback_outcome sign_in::told_at_end(const approval_request& q) const {
    const auto& upstream = desk_.whose().upstream;
    callback_outcome outcome{true, "Signed in to " + upstream, {}, q.id()};
    if (desk_.whose().session())
        outcome.detail =
            "Signed in at " + host_of(state_.held()->issuer) + " for " + q.shown().upstream + ".";
    else if (q.record().step_up)
        outcome.title = upstream + " allows more now";
    if (outcome.detail.empty())
        outcome.detail = board_.waiting_for_login() > 0
                             ? "The request that waited goes on."
                             : "Nothing was waiting any more; the client's next request will work.";
    if (const auto& account = state_.held()->account; !account.empty())
        outcome.detail += " You are " + account + " there.";
    outcome.detail += lack_of_refresh_token();
    return outcome;
}

void sign_in::done(approval_request& q, bool saved) {
    const bool idp = desk_.whose().session();
    auto fresh = q.take_fresh();
    q.flow_was_taken();
    const auto caller = q.take_callback();
    if (saved) {
        state_.vault().seen(fresh.generation);
        board_.forget_unsaved();
    } else {
        fresh.generation = state_.next_generation();
    }
    state_.vault().pin(fresh.issuer);
    approvals_.denials().approved();
    board_.person_signed_in();
    state_.signed_in();
    register_scopes_ = false;
    const auto before = state_.last_account();
    std::optional<credential> replaced;
    if (state_.held() && !state_.refresh_dead() && !state_.held()->refresh_token.empty())
        replaced = *state_.held();
    board_.take_into_force(std::move(fresh), saved, idp ? recovery_step::idp_login : recovery_step::login);
    if (replaced)
        board_.give_up(std::move(*replaced));
    life::audit line;
    line.how = idp                  ? life::happening::idp_login
               : q.record().step_up ? life::happening::step_up
                                    : life::happening::login;
    line.rule = q.record().rule;
    line.approval = q.id();
    line.client = q.shown().client_name;
    line.by = q.shown().decided_by;
    state_.report(std::move(line));
    auto outcome = told_at_end(q);
    outcome.warning = another_account(before, *state_.held());
    auto words = "Approved: signed in at " + host_of(state_.held()->issuer) + "." + lack_of_refresh_token();
    approvals_.end(std::string(q.id()), {approval_status::approved, std::move(words)});
    approvals_.answer_covered("Answered by another approval.");
    board_.release_served();
    if (caller)
        desk_.emit(life::answer_callback{*caller, std::move(outcome)});
}

} // namespace reauth
