// Dispatch, what is in force, and the passing of time.
#include "policy/life/credential_life.hpp"

#include "core/text/uri.hpp"
#include "policy/flows/refresh_flow.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t remembered_spent = 32;

} // namespace

credential_life::credential_life(life::target whose, random_source random)
    : target_(std::move(whose)), random_(std::move(random)) {}

life_actions credential_life::on(const life_event& event, time_point now) {
    now_ = now;
    out_.clear();
    last_.clear();
    expire_questions(); // whatever comes, it finds no question whose time is over
    std::visit([this](const auto& e) { handle(e); }, event);
    settle();
    // what must come after the answers: above all the unlocking
    for (auto& action : last_)
        out_.push_back(std::move(action));
    last_.clear();
    return std::move(out_);
}

/// Everybody who waits for nothing is considered, until all are answered or wait for something.
void credential_life::settle() {
    for (;;) {
        if (flight_ && flight_->phase == flight_phase::waiting_to_store && !(unsaved_ && unsaved_->storing))
            store_flight();
        start_confirmed();
        auto next = std::find_if(requests_.begin(), requests_.end(),
                                 [](const auto& r) { return r.on == waits::nothing; });
        if (next == requests_.end())
            return;
        consider(next->id, next->arrived);
    }
}

bool credential_life::renewable() const {
    return refreshable() || (held_ && obtains_by_itself(target_.grant));
}

bool credential_life::refreshable() const {
    return held_ && !held_->value.refresh_token.empty() && !held_->refresh_dead &&
           now_ >= held_->refresh_again && !spent(held_->value);
}

/// A credential goes nowhere but to the origin and resource that it was obtained for.
bool credential_life::bound(const credential& c) const {
    if (target_.grant == grant_kind::idp_session)
        return c.issuer == target_.url && c.client_id == target_.resource;
    if (!c.headers.empty() && c.headers != target_.headers)
        return false;
    const auto origin = origin_of(target_.url);
    // records of before origins were kept: their resource tells
    const bool same_origin_as_ours =
        c.origin.empty() ? !c.resource.empty() && origin_of(c.resource) == origin : c.origin == origin;
    if (!same_origin_as_ours)
        return false;
    if (target_.resource == "omit")
        return c.resource.empty();
    if (target_.resource == "auto")
        return c.resource.empty() || resource_covers(c.resource, target_.url);
    return c.resource == target_.resource;
}

bool credential_life::newer_than_held(std::uint64_t generation) const {
    return !held_ || generation > held_->value.generation;
}

/// Somebody else has signed out since we last looked.
bool credential_life::foreign_tombstone(const life::stored_state& state) const {
    return !state.value && state.generation > vault_generation_;
}

/// What a store met is another's work and newer than what is held. Otherwise it is of ours: a tombstone, what
/// was there before, or what an undone store has put back.
bool credential_life::overtakes(const life::stored_state& state) const {
    if (!state.value)
        return foreign_tombstone(state);
    return newer_than_held(state.generation) && !spent(*state.value);
}

/// An answer came to its refresh token: whoever sends it again loses the whole family (RFC 9700
/// section 4.14.2).
bool credential_life::spent(const credential& c) const {
    return !c.refresh_token.empty() &&
           std::find(spent_.begin(), spent_.end(), c.refresh_token) != spent_.end();
}

void credential_life::note_answer(const life::flow_ended& e) {
    auto sent = sent_.extract(e.work);
    if (sent.empty() || (!e.fresh && e.fresh.error().transient))
        return;
    // refused without a word of its own: it may be good again when the cause is mended
    if (!e.fresh && refuses_refresh(e.fresh.error()) && !ends_grant(e.fresh.error()))
        return;
    // a server that does not rotate gives the same one again
    if (e.fresh && e.fresh->refresh_token == sent.mapped())
        return;
    spent_.push_back(std::move(sent.mapped()));
    if (spent_.size() > remembered_spent)
        spent_.pop_front();
}

std::uint64_t credential_life::next_generation() const {
    return std::max(vault_generation_, held_ ? held_->value.generation : 0) + 1;
}

void credential_life::take_into_force(credential c, bool saved, std::optional<recovery_step> how) {
    held_ = holding{std::move(c), saved, false, {}, how};
    interrupted_note_.clear();
    finals_.forget(target_.principal, target_.upstream);
    emit(life::publish{held_->value, renewable()});
}

void credential_life::drop_held() {
    if (!held_)
        return;
    // whoever still waits was refused with a lower number than the next credential will have
    vault_generation_ = std::max(vault_generation_, held_->value.generation);
    held_.reset();
    emit(life::publish{std::nullopt, false});
}

/// Something of the same issuer and client is in force, or may come into force at any moment: servers revoke
/// by grant (RFC 7009 section 2.1), so that revoking `c` would end it too.
bool credential_life::stays_in_force(const credential& c) const {
    if (all_ends_)
        return false;
    const bool under_way = std::any_of(questions_.begin(), questions_.end(), [](const auto& q) {
        return q.second.phase == question_phase::authorizing || q.second.phase == question_phase::redeeming ||
               q.second.phase == question_phase::storing;
    });
    const bool renewing = flight_ && flight_->phase != flight_phase::locking;
    if (under_way || renewing)
        return true;
    const auto* now = held();
    return now && now->issuer == c.issuer &&
           (now->client_id == c.client_id || now->client_id.empty() || c.client_id.empty());
}

/// It is not used any more: revoked, or kept for the sign-out where revoking it would end more than itself.
void credential_life::give_up(credential unwanted, life::server_ptr server,
                              std::optional<registered_client> client) {
    if (held_ && held_->value.access_token == unwanted.access_token)
        return;
    if (!stays_in_force(unwanted)) {
        emit(life::revoke{0, std::move(unwanted), server ? server : server_, std::move(client)});
        return;
    }
    // a server that does not rotate gives the same refresh token again
    if (held_ && held_->value.refresh_token == unwanted.refresh_token)
        unwanted.refresh_token = secret();
    if (spent(unwanted))
        unwanted.refresh_token = secret();
    emit(life::retire{std::move(unwanted), std::move(client)});
}

/// What the vault holds, if it is newer than ours and for us. True: it is in force now.
bool credential_life::adopt(const life::stored_state& state) {
    if (foreign_tombstone(state)) // also where nothing is held: what is told late is of before
        signed_out_at_ = std::max(signed_out_at_, state.generation);
    vault_generation_ = std::max(vault_generation_, state.generation);
    if (!state.pinned_issuer.empty())
        pinned_issuer_ = state.pinned_issuer;
    if (!state.value || !newer_than_held(state.value->generation) ||
        state.value->generation <= signed_out_at_)
        return false;
    // the vault has not heard of our sign-out yet: what it holds may be of before
    const bool unheard = std::any_of(sign_outs_.begin(), sign_outs_.end(), [&](const sign_out& s) {
        const bool covers = s.only_until ? state.value->generation <= s.only_until : !(held_ && held_->saved);
        return covers && (s.erase || s.erase_again);
    });
    if (unheard)
        return false;
    if (spent(*state.value))
        return false; // put back by something that was undone
    if (held_ && held_->value.access_token == state.value->access_token)
        return false; // ours, put back under a higher number: what we know of it stays
    if (!bound(*state.value)) {
        const failure why = failure::permanent(
            fault::reauth_failed,
            "what is held was obtained for another origin, resource or set of headers (" +
                (state.value->origin.empty() ? state.value->resource : state.value->origin) +
                ") and is not used for " + target_.url,
            "sign in again, or give the upstream its old URL");
        report(life::audit::kind::decision, "bound elsewhere", &why);
        return false;
    }
    std::optional<credential> unsaved;
    if (unsaved_) { // the vault has something newer than what we could not store
        unsaved = held_->value;
        forget_unsaved();
    }
    take_into_force(*state.value, true, std::nullopt);
    if (unsaved)
        give_up(std::move(*unsaved));
    recall_server();
    return true;
}

void credential_life::report(life::audit::kind what, std::string how, const failure* why, std::string rule,
                             std::string detail, std::string client) {
    life::audit line;
    line.what = what;
    line.how = std::move(how);
    line.rule = std::move(rule);
    line.detail = std::move(detail);
    line.client = std::move(client);
    if (held_ && !why)
        line.scopes = held_->value.granted;
    if (why)
        line.why = *why;
    emit(std::move(line));
}

void credential_life::handle(const life::loaded& e) {
    if (adopt(e.state) && !held_->value.expired_at(now_))
        answer_covered("Answered by another sign-in.");
    release_served();
}

void credential_life::handle(const life::news& e) {
    const bool gone = held_ && foreign_tombstone(e.state);
    if (gone) {
        vault_generation_ = std::max(vault_generation_, e.state.generation);
        signed_out_elsewhere();
    } else if (adopt(e.state)) {
        if (!held_->value.expired_at(now_))
            answer_covered("Answered by another process.");
        release_served();
    }
}

/// The configured token, as it is now.
void credential_life::handle(const life::supplied& e) {
    if (!target_.supplied || !e.token)
        return; // the next refusal reads it again, and tells why
    if (held_ && held_->value.access_token == e.token->access_token)
        return;
    auto fresh = *e.token;
    fresh.origin = origin_of(target_.url);
    fresh.headers = target_.headers;
    fresh.generation = next_generation();
    take_into_force(std::move(fresh), true, std::nullopt);
    release_served();
}

void credential_life::handle(const life::found_dead& e) {
    if (!held_ || held_->value.generation != e.generation || target_.supplied)
        return;
    const auto work = next_++;
    works_[work] = work_kind::erase;
    const auto issuer = held_->value.issuer;
    forget_unsaved();
    drop_held();
    signed_out_at_ = ++vault_generation_;
    emit(life::erase{work, issuer, signed_out_at_, false, e.generation});
}

void credential_life::handle(const life::time_passed&) {
    end_pauses();
    retry_unsaved();
    retry_burials();
}

void credential_life::handle(const life::stopping&) {
    const failure why =
        failure::passing(fault::shutting_down, "mcp-reauth is shutting down", "send the request again");
    while (!requests_.empty()) {
        auto r = requests_.front();
        fail(r, why);
    }
    for (auto& [id, q] : questions_)
        answer_starters(q, result<approve_answer>(why));
}

} // namespace reauth
