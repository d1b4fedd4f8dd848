// From the wish to the callback.
#include "policy/life/sign_in.hpp"

#include "policy/flows/refresh_flow.hpp"

namespace reauth {

/// The operator may carry a flow that a page has begun to another device.
void sign_in::give_location(approval_request& q, const life::approve_asked& who) {
    if (!who.from_page && q.bound_to_browser() && q.phase() == approval_phase::authorizing) {
        const auto work = desk_.number();
        releasing_[work] = who;
        desk_.emit(life::release_binding{work, q.record().pending_state});
        return;
    }
    desk_.emit(life::answer_approve{who.caller, q.location(who.from_page)});
}

void sign_in::begin(approval_request& q, const life::approve_asked& who) {
    q.start(desk_.number());
    // whoever is told in the meantime that there is no answer hears whose it is that is missing
    const auto& server = servers_.known();
    board_.approval_troubled(q.id(), (server ? server->issuer() : "the authorization server") +
                                         " has not answered yet");
    life::begin_sign_in work;
    work.work = q.work();
    work.approval = q.id();
    work.question = q.record().login_scopes;
    work.scopes = approvals_.asked_now(q);
    work.server = server;
    work.bind_to_browser = who.from_page;
    work.challenged_dpop = servers_.schemes().dpop;
    work.challenged_bearer = servers_.schemes().bearer;
    work.resource_metadata = q.record().resource_metadata;
    work.pinned_issuer = state_.vault().pinned_issuer();
    work.method = who.method;
    work.acr_values = q.shown().acr_values;
    work.max_age = q.shown().max_age;
    work.prompt_login = state_.login_wanted();
    work.register_scopes = register_scopes_;
    work.select_account = desk_.whose().one_of_accounts && !knows_no_choice_;
    desk_.emit(std::move(work));
}

void sign_in::approve(const life::approve_asked& e) {
    auto* found = approvals_.find(e.approval);
    if (!found) {
        desk_.emit(life::answer_approve{e.caller, approvals_.not_open(e.approval)});
        return;
    }
    auto& q = *found;
    const bool by_device = !q.shown().user_code.empty();
    const bool another_way = (e.method == sign_in_method::device && !by_device) ||
                             (e.method == sign_in_method::browser && by_device);
    const bool too_late = q.shown().location_until && *q.shown().location_until <= desk_.now();
    if (q.phase() == approval_phase::authorizing && (another_way || too_late)) {
        desk_.emit(life::discard_pending{q.record().pending_state, e.approval});
        q.back_to_pending({});
        approvals_.show(q);
    }
    if (q.record().confirms() && e.who == approver::link_holder) {
        const failure not_yours = failure::permanent(
            fault::approval_required, "this approval is completed without a login, so it needs the operator",
            "run `mcp-reauth approve " + e.approval + "`, or open the dashboard");
        desk_.emit(life::answer_approve{e.caller, not_yours});
        return;
    }
    q.decided_by(e.by);
    switch (q.phase()) {
    case approval_phase::pending:
        q.keep_asker(e);
        if (q.record().confirms())
            q.mint();
        else
            begin(q, e);
        return;
    case approval_phase::at_idp:
        if (!session_.approval().empty()) {
            auto there = e;
            there.approval = session_.approval();
            desk_.emit(life::pass_on_approve{std::move(there)});
            return;
        }
        [[fallthrough]];
    case approval_phase::starting:
    case approval_phase::minting:
        q.keep_asker(e);
        return;
    default:
        give_location(q, e);
        return;
    }
}

void sign_in::on(const life::sign_in_begun& e) {
    auto* found = approvals_.with_work(e.work);
    if (!found || found->phase() != approval_phase::starting) {
        // decided while it started: the flow will not be finished
        if (e.begun)
            desk_.emit(life::discard_pending{e.begun->pending.state, e.begun->pending.approval_id});
        return;
    }
    auto& q = *found;
    if (!e.begun) {
        const auto why = e.begun.error();
        report_failure(life::happening::login, q, why);
        q.could_not_start({});
        approvals_.answer_askers(q, why);
        // whoever waits learns now what has to be changed; trouble that passes keeps the approval open
        if (!why.transient) {
            approvals_.end(std::string(q.id()), {approval_status::failed, why.describe(), why});
            return;
        }
        q.could_not_start(why.describe());
        approvals_.show(q);
        board_.approval_troubled(q.id(), why.describe());
        return;
    }
    servers_.found_by_sign_in(e.server, q.record().resource_metadata);
    q.authorize(*e.begun);
    approvals_.show(q);
    approvals_.watch_device(q);
    board_.approval_troubled(q.id(), {});
    for (const auto& who : q.take_askers())
        give_location(q, who);
}

void sign_in::on(const life::binding_released& e) {
    auto node = releasing_.extract(e.work);
    if (node.empty())
        return;
    const auto& who = node.mapped();
    auto* q = approvals_.find(who.approval);
    if (!q) {
        approve(who); // its outcome
    } else if (!e.done) {
        desk_.emit(life::answer_approve{who.caller, e.done.error()});
    } else {
        q->unbind();
        give_location(*q, who);
    }
}

/// Of an earlier run of this program: nothing has ended it, since its flow was still in the vault.
approval_request& sign_in::taken_up(const pending_authorization& flow) {
    approval_record r;
    auto& a = r.shown;
    a.id = flow.approval_id;
    a.upstream = desk_.whose().upstream;
    a.principal = desk_.whose().principal;
    a.kind = flow.kind == authorization_kind::idp_login ? approval_kind::idp_login : approval_kind::login;
    a.status = approval_status::authorizing;
    a.requested = flow.scopes;
    a.issuer = flow.server.issuer;
    a.created_at = flow.created_at;
    a.expires_at = desk_.now() + desk_.whose().approval_lifetime;
    r.login_scopes = flow.scopes;
    r.pending_state = flow.state;
    r.generation = state_.vault().generation();
    return approvals_.add(approval_request(std::move(r)));
}

void sign_in::on(const life::callback_arrived& e) {
    const auto& id = e.pending.approval_id;
    auto* found = approvals_.find(id);
    if (!found) {
        if (const auto outcome = approvals_.outcome_of(id)) {
            desk_.emit(life::answer_callback{
                e.caller,
                {false, "This sign-in has ended",
                 *outcome + " Nothing was changed; the code from the provider was not used.", id}});
            return;
        }
        found = &taken_up(e.pending);
    }
    auto& q = *found;
    // whichever process began the flow, and whether we have heard of that yet: the vault knew it, and gives
    // it once
    const bool open = q.is({approval_phase::authorizing, approval_phase::pending, approval_phase::starting});
    if (!open || q.record().confirms()) {
        desk_.emit(life::answer_callback{
            e.caller, {false, "Nothing to do here", "This sign-in was completed already.", id}});
        return;
    }
    q.redeem(desk_.number(), e.caller, e.pending.client);
    desk_.emit(life::redeem{q.work(), e.pending, e.parameters, e.browser_binding});
}

void sign_in::report_failure(life::happening how, const approval_request& q, const failure& why) {
    life::audit line;
    line.how = how;
    line.rule = q.record().rule;
    line.client = q.shown().client_name;
    line.by = q.shown().decided_by;
    line.why = why;
    state_.report(std::move(line));
}

void sign_in::stopping() {
    const failure why =
        failure::passing(fault::shutting_down, "mcp-reauth is shutting down", "send the request again");
    for (int phase = 0; phase <= static_cast<int>(approval_phase::at_idp); ++phase)
        for (auto* q : approvals_.in_phase(static_cast<approval_phase>(phase)))
            approvals_.answer_askers(*q, why);
}

} // namespace reauth
