// A login at the provider: the flow begins, a person goes there and comes back, the code becomes the
// credential in force.
#include "policy/life/credential_life.hpp"

#include "core/text/uri.hpp"
#include "policy/flows/refresh_flow.hpp"

namespace reauth {
namespace {

std::string done_words(const std::string& issuer) {
    return "Approved: signed in at " + host_of(issuer) + ".";
}

} // namespace

credential_life::question* credential_life::with_work(life::work_id work) {
    for (auto& [id, q] : questions_)
        if (q.work == work)
            return &q;
    return nullptr;
}

/// A code is being redeemed, or what it brought is being stored.
bool credential_life::signing_in() const noexcept {
    for (const auto& [id, q] : questions_)
        if (q.phase == question_phase::redeeming || q.phase == question_phase::storing)
            return true;
    return false;
}

/// Where the person goes. The operator may carry a flow that a page has begun to another device.
void credential_life::give_location(question& q, const starter& s) {
    if (!s.from_page && q.browser_binding && q.phase == question_phase::authorizing) {
        const auto work = next_++;
        releasing_[work].push_back({q.shown.id, s});
        emit(life::release_binding{work, q.pending_state});
        return;
    }
    approve_answer where;
    where.location = q.shown.location;
    where.user_code = q.shown.user_code;
    where.verification_uri = q.shown.verification_uri;
    if (s.from_page) {
        where.browser_binding = q.browser_binding;
        where.state = q.pending_state;
        where.redirect_uri = q.redirect_uri;
    }
    emit(life::answer_approve{
        s.caller, result<approve_answer>(std::move(where)), {}, s.who, s.from_page, s.method});
}

void credential_life::handle(const life::sign_in_begun& e) {
    auto* q = with_work(e.work);
    if (!q || q->phase != question_phase::starting) {
        // decided while it started: the flow will not be finished
        if (e.begun)
            emit(life::discard_pending{e.begun->pending.state, e.begun->pending.approval_id});
        return;
    }
    if (!e.begun) {
        const auto why = e.begun.error();
        report(life::audit::kind::sign_in, "login", &why, q->rule, {}, q->shown.client_name);
        q->phase = question_phase::pending;
        answer_starters(*q, result<approve_answer>(why));
        // whoever waits learns now what has to be changed; trouble that passes keeps the question open
        if (!why.transient) {
            end_question(q->shown.id, approval_status::failed, why.describe(), why);
            return;
        }
        q->shown.outcome = "The sign-in could not be begun: " + why.describe() + ".";
        show(*q);
        tell_who_waits(*q, why.describe());
        return;
    }
    if (!server_ && e.server) {
        server_ = e.server;
        discovered_at_ = now_;
        discovered_from_ = q->resource_metadata;
    }
    q->phase = question_phase::authorizing;
    q->pending_state = e.begun->pending.state;
    q->redirect_uri = e.begun->pending.redirect_uri;
    q->shown.location = e.begun->pending.location;
    q->shown.location_until = e.begun->pending.location_until;
    q->shown.user_code = e.begun->pending.user_code;
    q->shown.verification_uri = e.begun->pending.verification_uri;
    q->shown.status = approval_status::authorizing;
    if (!e.begun->pending.scopes.empty()) // what the URL asks for
        q->shown.requested = e.begun->pending.scopes;
    q->shown.outcome.clear();
    q->browser_binding.reset();
    if (!e.begun->browser_binding.empty())
        q->browser_binding = e.begun->browser_binding;
    show(*q);
    watch_device(*q);
    tell_who_waits(*q, {});
    for (const auto& s : std::exchange(q->starters, {}))
        give_location(*q, s);
}

void credential_life::tell_who_waits(const question& q, const std::string& trouble) {
    for (const auto& r : requests_)
        if (r.on == waits::question && r.approval == q.shown.id)
            tell_waiting(r, q.shown.id, trouble);
}

void credential_life::handle(const life::binding_released& e) {
    auto node = releasing_.extract(e.work);
    if (node.empty())
        return;
    for (auto& [id, s] : node.mapped()) {
        const auto found = questions_.find(id);
        if (found == questions_.end()) {
            handle(life::approve_asked{s.caller, id, s.who, s.from_page, s.method}); // its outcome
        } else if (!e.done) {
            emit(life::answer_approve{s.caller, e.done.error(), {}, s.who, s.from_page, s.method});
        } else {
            found->second.browser_binding.reset();
            give_location(found->second, s);
        }
    }
}

void credential_life::handle(const life::callback_arrived& e) {
    const auto& id = e.pending.approval_id;
    callback_outcome refused{false, "Nothing to do here", "This sign-in was completed already.", id};
    auto found = questions_.find(id);
    if (found == questions_.end()) {
        const auto ended = ended_.find(id);
        if (ended != ended_.end()) {
            refused.title = "This sign-in has ended";
            refused.detail =
                ended->second.outcome + " Nothing was changed; the code from the provider was not used.";
            emit(life::answer_callback{e.caller, std::move(refused)});
            return;
        }
        // of an earlier run of this program: nothing has ended it, since its flow was still in the vault
        question q;
        q.shown.id = id;
        q.shown.upstream = target_.upstream;
        q.shown.principal = target_.principal;
        q.shown.kind =
            e.pending.kind == authorization_kind::idp_login ? approval_kind::idp_login : approval_kind::login;
        q.shown.status = approval_status::authorizing;
        q.shown.requested = e.pending.scopes;
        q.shown.issuer = e.pending.server.issuer;
        q.shown.created_at = e.pending.created_at;
        q.shown.expires_at = now_ + target_.approval_lifetime;
        q.login_scopes = e.pending.scopes;
        q.phase = question_phase::authorizing;
        q.pending_state = e.pending.state;
        q.base_generation = vault_generation_;
        found = questions_.emplace(id, std::move(q)).first;
    }
    auto& q = found->second;
    // whichever process began the flow, and whether we have heard of that yet: the vault knew it, and gives
    // it once
    const bool open = q.phase == question_phase::authorizing || q.phase == question_phase::pending ||
                      q.phase == question_phase::starting;
    if (!open || !q.silent.empty()) {
        emit(life::answer_callback{e.caller, std::move(refused)});
        return;
    }
    q.phase = question_phase::redeeming;
    q.callback = e.caller;
    q.client = e.pending.client;
    q.work = next_++;
    emit(life::redeem{q.work, e.pending, e.parameters, e.browser_binding});
}

void credential_life::redeemed(question& q, const life::flow_ended& e) {
    if (!e.fresh) {
        redemption_failed(q, e);
        return;
    }
    q.phase = question_phase::storing;
    q.fresh = *e.fresh;
    q.fresh->origin = origin_of(target_.url);
    q.fresh->headers = target_.headers;
    q.fresh->generation = next_generation();
    remember_server(*q.fresh, e.server);
    q.work = next_++;
    emit(life::store{q.work, *q.fresh, vault_generation_, true});
}

/// A code is good for one try: this flow is over, and whoever waits learns why.
void credential_life::redemption_failed(question& q, const life::flow_ended& e) {
    const auto why = e.fresh.error();
    report(life::audit::kind::sign_in, target_.grant == grant_kind::idp_session ? "idp_login" : "login", &why,
           q.rule, {}, q.shown.client_name);
    const auto id = q.shown.id;
    callback_outcome said{false, "This sign-in can't be completed", why.describe(), id};
    q.pending_state = secret();                                   // it was taken
    const bool login_wanted = wants_login(why) && !prompt_login_; // asked for already, it is final
    prompt_login_ = prompt_login_ || login_wanted;
    register_scopes_ = register_scopes_ || e.register_scopes;
    if (e.client_unknown || login_wanted) {
        if (login_wanted)
            said.detail = "The provider wants you to sign in again, although you were signed in there (" +
                          why.message + "). The next try asks it for that: approve once more.";
        else if (e.register_scopes)
            said.detail = "The provider allows this client no scope (" + why.message +
                          "). It is registered anew, with them, at the next try: approve once more.";
        else
            said.detail = "The provider refused this client, which it has probably forgotten (" +
                          why.message + "). It is registered anew at the next try: approve once more.";
        if (q.callback)
            emit(life::answer_callback{*q.callback, std::move(said)});
        q.callback.reset();
        back_to_pending(q, why.describe());
        return;
    }
    const bool denied = why.code == fault::approval_denied; // by a person: check_callback() tells
    if (denied) {
        said.title = target_.grant == grant_kind::idp_session ? "Denied at the identity provider"
                                                              : "Denied at the provider";
        denials_.denied(now_);
    }
    if (q.callback)
        emit(life::answer_callback{*q.callback, std::move(said)});
    q.callback.reset();
    end_question(id, denied ? approval_status::denied : approval_status::failed, why.describe(), why);
}

void credential_life::login_stored(question& q, const life::stored& e) {
    if (e.is == life::store_result::newer) {
        const bool signed_out = foreign_tombstone(e.found) && e.found.generation > q.base_generation;
        vault_generation_ = std::max(vault_generation_, e.found.generation);
        if (signed_out) {
            signed_out_elsewhere();
            return;
        }
        // what a person has just approved replaces what was renewed meanwhile, which is what a denial would
        // go back to
        adopt(e.found);
        q.fresh->generation = next_generation();
        q.work = next_++;
        emit(life::store{q.work, *q.fresh, vault_generation_, true});
        return;
    }
    if (e.is == life::store_result::failed)
        keep_unsaved(e.why, {}, true);
    login_done(q, e.is == life::store_result::saved);
}

/// Questions nobody has acted on, and that ask for nothing that was not granted since they were opened.
void credential_life::answer_covered(std::string outcome) {
    std::vector<std::string> covered;
    for (const auto& [id, q] : questions_)
        if (q.silent.empty() && held_->value.granted.covers(q.login_scopes) &&
            q.phase == question_phase::pending && q.base_generation < held_->value.generation &&
            q.shown.acr_values.empty() && !q.shown.max_age)
            covered.push_back(id);
    for (const auto& id : covered)
        end_question(id, approval_status::approved, outcome, {});
}

void credential_life::login_done(question& q, bool saved) {
    const auto id = q.shown.id;
    const bool idp = target_.grant == grant_kind::idp_session;
    auto fresh = *q.fresh;
    q.fresh.reset();
    q.pending_state = secret();
    const auto caller = q.callback;
    q.callback.reset();
    if (saved) {
        vault_generation_ = std::max(vault_generation_, fresh.generation);
        forget_unsaved();
    }
    if (!saved)
        fresh.generation = next_generation();
    pinned_issuer_ = fresh.issuer;
    denials_.approved();
    transient_ = {};
    prompt_login_ = register_scopes_ = false;
    auto replaced = std::exchange(held_, std::nullopt);
    take_into_force(std::move(fresh), saved, idp ? recovery_step::idp_login : recovery_step::login);
    if (replaced && !replaced->refresh_dead && !replaced->value.refresh_token.empty())
        give_up(std::move(replaced->value));
    life::audit line;
    line.what = life::audit::kind::sign_in;
    line.how = q.step_up && !idp ? "step_up" : idp ? "idp_login" : "login";
    line.rule = q.rule;
    line.approval = id;
    line.client = q.shown.client_name;
    line.scopes = held_->value.granted;
    emit(std::move(line));
    std::size_t waiting = 0;
    for (const auto& r : requests_)
        waiting += r.id && r.on != waits::anything ? 1 : 0;
    callback_outcome outcome{true, "Signed in to " + target_.upstream, {}, id};
    if (q.step_up && !idp)
        outcome.title = target_.upstream + " allows more now";
    if (idp)
        outcome.detail = "Signed in at " + host_of(held_->value.issuer) + " for " + q.shown.upstream + ".";
    else
        outcome.detail = waiting > 0 ? "The request that waited goes on."
                                     : "Nothing was waiting any more; the client's next request will work.";
    const auto issuer = held_->value.issuer;
    auto words = done_words(issuer);
    if (held_->value.refresh_token.empty() && held_->value.expires_at) {
        const auto left = std::chrono::ceil<std::chrono::minutes>(*held_->value.expires_at - now_).count();
        const std::string lack = " It brought no refresh token: you will be asked again when it ends, in " +
                                 std::to_string(left) + " min (`mcp-reauth doctor` says what would help).";
        outcome.detail += lack;
        words += lack;
    }
    end_question(id, approval_status::approved, std::move(words), {});
    answer_covered("Answered by another approval.");
    release_served();
    if (caller)
        emit(life::answer_callback{*caller, std::move(outcome)});
}

} // namespace reauth
