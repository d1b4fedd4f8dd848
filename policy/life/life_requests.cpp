// Held requests: from their arrival over the judgement to the work, the person, or the answer.
#include "policy/life/credential_life.hpp"

#include "core/crypto/jose.hpp"
#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"

#include <algorithm>

namespace reauth {
namespace {

/// For whom an access token says to be, as far as it can be read.
std::string audience_of(const credential& c) {
    std::string all;
    if (const auto claims = decode_jwt_claims(c.access_token.reveal()))
        for (const auto& one : json_strings(*claims, "aud").value_or(std::vector<std::string>{}))
            all += (all.empty() ? "" : ", ") + clean_text(one);
    return all;
}

std::string first_operation(const std::vector<operation>& operations) {
    for (const auto& o : operations)
        if (!o.method.empty())
            return o.tool.empty() ? o.method : o.method + " " + o.tool;
    return {};
}

} // namespace

void credential_life::handle(const life::refused& e) {
    held_request r;
    r.id = e.request;
    r.what = e.what;
    r.arrived = next_++;
    requests_.push_back(std::move(r));
}

void credential_life::handle(const life::withdrawn& e) {
    requests_.remove_if([&](const held_request& r) { return r.id == e.request && r.id != 0; });
}

/// In the background, ahead of expiry: a failure waits for the next sign of use, or for the expiry itself.
void credential_life::handle(const life::renewal_due& e) {
    if (!held_ || held_->value.generation != e.generation || flight_ || !renewable())
        return;
    if (transient_.asked_to_wait && transient_.holds_at(now_))
        return;
    held_request r;
    r.what.challenge.kind = challenge_kind::token_expired;
    r.what.sent_generation = r.what.first_generation = e.generation;
    r.what.person = person_use::never;
    r.what.notice_only = true;
    r.arrived = next_++;
    requests_.push_back(std::move(r));
}

credential_life::held_request* credential_life::find_request(std::uint64_t arrived) {
    for (auto& r : requests_)
        if (r.arrived == arrived)
            return &r;
    return nullptr;
}

void credential_life::drop_request(const held_request& r) {
    requests_.remove_if(
        [arrived = r.arrived](const held_request& other) { return other.arrived == arrived; });
}

void credential_life::replay(held_request& r) {
    if (r.id) {
        life::answer a{r.id, life::verdict::replay, {}, {}, {}, r.asked};
        emit(std::move(a));
    }
    drop_request(r);
}

void credential_life::tell_waiting(const held_request& r, const std::string& approval, std::string trouble) {
    if (r.id)
        emit(life::tell_waiting{r.id, approval, r.wait, r.required_scopes, r.reason, std::move(trouble)});
}

void credential_life::fail(held_request& r, failure why, const challenge_facts* facts) {
    if (r.id) {
        life::answer a;
        a.request = r.id;
        a.is = life::verdict::fail;
        a.reason =
            facts ? std::string(to_string(facts->reason)) : std::string(to_string(r.what.challenge.kind));
        if (facts)
            a.required_scopes = facts->added.tokens();
        if (a.required_scopes.empty() && r.what.challenge.scope)
            a.required_scopes = r.what.challenge.scope->tokens();
        a.why = why;
        emit(std::move(a));
    }
    if (r.login)
        emit(life::answer_login{*r.login, result<std::string>(std::move(why))});
    drop_request(r);
}

/// A credential came into force: whoever was refused with an older one tries again.
void credential_life::release_served() {
    for (auto& r : requests_)
        if (!r.login && held_ && r.what.sent_generation < held_->value.generation && r.on != waits::nothing) {
            r.asked = r.asked || r.on == waits::question || r.on == waits::session;
            r.on = waits::nothing;
        }
}

final_key credential_life::key_of(const held_request& r) const {
    return {target_.principal, target_.upstream, first_operation(r.what.operations),
            (r.what.challenge.scope ? r.what.challenge.scope->to_string() : "") +
                (r.what.challenge.acr_values.empty() ? "" : " acr " + r.what.challenge.acr_values)};
}

recovery_facts credential_life::facts_of(const held_request& r) const {
    recovery_facts f;
    f.grant = target_.grant;
    f.reason = reason_for(r.what.challenge.kind).value_or(challenge_reason::unauthorized);
    if (r.what.challenge.scope)
        f.challenged = *r.what.challenge.scope;
    f.configured = target_.scopes;
    if (server_ && server_->scopes_supported)
        f.supported = *server_->scopes_supported;
    if (held_) {
        f.held = true;
        // its refresh token may just be spent for the credential that is being stored: that is worth waiting
        // for
        f.refresh_token = refreshable() || (flight_ && flight_->fresh);
        f.requested = held_->value.requested;
        f.granted = held_->value.granted;
        // obtained for this very request and refused again: go to the next step
        const bool refused = held_->value.generation == r.what.sent_generation;
        const bool for_it = held_->value.generation > r.what.first_generation;
        if (refused && (for_it || fresh_refusals_.exhausted(held_->value.generation, now_)))
            f.just_obtained_by = held_->obtained_by;
        if (f.just_obtained_by)
            f.audience = audience_of(held_->value);
    }
    f.idp_session = session_usable();
    f.idp_login = session_.may_login;
    f.signed_in_anew = r.agreed;
    return f;
}

judgement_facts credential_life::situation_of(const held_request& r) const {
    judgement_facts f;
    f.recovery = facts_of(r);
    f.request.upstream = target_.upstream;
    f.request.principal = target_.principal;
    f.request.operations = r.what.operations;
    f.person = r.what.person;
    f.in_session = r.what.in_session;
    f.remembered = remembered_;
    f.notice_only = r.what.notice_only;
    f.agreed = r.agreed;
    f.known_final = finals_.find(key_of(r), now_);
    f.silent_failure = r.silent_failure;
    if (!f.silent_failure && !flight_ && transient_.holds_at(now_) && r.id)
        f.silent_failure = transient_.told_at(now_);
    // who waited already when a person said no to the same has had the answer
    const auto no = denied_.find(plan_recovery(f.recovery).login_scopes.to_string());
    f.denied_meanwhile = no != denied_.end() && no->second > r.arrived;
    f.denied_recently = denials_.denied_recently(now_);
    if (auto until = denials_.quiet_until(now_))
        f.quiet_for =
            std::chrono::duration_cast<std::chrono::seconds>(*until - now_) + std::chrono::seconds(1);
    return f;
}

/// One request that waits for nothing: afterwards it is answered, or it waits.
void credential_life::consider(life::request_id, std::uint64_t arrived) {
    auto& r = *find_request(arrived);
    if (r.login) {
        consider_login(r);
        return;
    }
    if (held_ && held_->value.generation > r.what.sent_generation) {
        replay(r);
        return;
    }
    if (pauses_first(r))
        return;
    if (r.what.challenge.bearer || r.what.challenge.dpop) {
        challenged_bearer_ = r.what.challenge.bearer;
        challenged_dpop_ = r.what.challenge.dpop;
    }
    // refused long before its time: the upstream may have moved to another authorization server (SEP-2352);
    // asked once for all who were refused with it
    const bool unexpected =
        held_ && held_->value.generation == r.what.sent_generation && !r.what.notice_only &&
        r.what.challenge.kind != challenge_kind::insufficient_scope &&
        r.what.challenge.kind != challenge_kind::user_authentication &&
        !(held_->value.expires_at && *held_->value.expires_at <= now_ + std::chrono::seconds(30));
    if (unexpected && doubted_generation_ != r.what.sent_generation) {
        doubted_generation_ = r.what.sent_generation;
        discovered_at_ = {};
    }
    if (needs_discovery(r))
        return;
    const auto j = judge(*target_.rules, situation_of(r));
    act(r, j);
}

void credential_life::act(held_request& r, const judgement& j) {
    switch (j.move) {
    case next_move::answer:
        if (j.final) {
            finals_.remember(key_of(r), {j.why, j.facts.reason}, now_);
            report(life::audit::kind::decision, "recovery", &j.why, j.rule_name(), {}, r.what.client_name);
        } else if (j.why.code == fault::denied_by_policy) {
            report(life::audit::kind::decision, "policy", &j.why, j.rule_name(), {}, r.what.client_name);
        }
        fail(r, j.why, &j.facts);
        return;
    case next_move::relay:
        if (r.id) {
            life::answer a;
            a.request = r.id;
            a.is = life::verdict::relay;
            a.why = j.why;
            emit(std::move(a));
        }
        drop_request(r);
        return;
    case next_move::silent: {
        const bool first = !flight_;
        if (first)
            make_flight(j.plan.silent, j.plan.silent_scopes, j.rule_name(), {});
        if (first)
            flight_->asker = r.what.client_name;
        r.on = waits::flight;
        r.work = flight_->id;
        r.wanted = j.plan.silent_scopes;
        if (first)
            launch_flight();
        return;
    }
    case next_move::wait:
        r.on = waits::anything;
        return;
    case next_move::ask:
        ask(r, j);
        return;
    }
}

/// Before a person is asked the vault is asked.
void credential_life::look_first(held_request& r) {
    if (!look_) {
        look_ = next_++;
        works_[look_] = work_kind::look;
        emit(life::look{look_, server_ ? server_->issuer() : pinned_issuer_});
    }
    r.on = waits::look;
    r.work = look_;
}

/// A person is needed. First the vault: another process may hold what is needed.
void credential_life::ask(held_request& r, const judgement& j) {
    if (!r.looked) {
        look_first(r);
        return;
    }
    r.wait = j.rule.wait;
    r.reason = std::string(to_string(j.facts.reason));
    r.required_scopes = j.facts.added.tokens();
    if (r.required_scopes.empty() && r.what.challenge.scope)
        r.required_scopes = r.what.challenge.scope->tokens();
    if (j.plan.person == recovery_step::idp_login && !j.confirm_first &&
        target_.grant == grant_kind::enterprise) {
        want_session(r);
        return;
    }
    if (server_ && j.plan.person == recovery_step::login && target_.browser_login) {
        const auto possible = check_front_channel(server_->server, target_.may_push);
        if (!possible) {
            fail(r, possible.error(), &j.facts);
            return;
        }
    }
    auto opened = open_question(r, j.plan, j.confirm_first, j.rule_name());
    if (!opened) {
        fail(r, opened.error(), &j.facts);
        return;
    }
    r.on = waits::question;
    r.approval = *opened;
    tell_waiting(r, *opened);
    if (!r.id)
        drop_request(r);
}

} // namespace reauth
