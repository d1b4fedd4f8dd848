// Opened, joined, superseded, denied, expired.
#include "policy/life/approval_set.hpp"

#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t remembered_ends = 64;

} // namespace

std::string approval_set::joinable(const approval_record& wanted) const {
    for (const auto& [id, q] : open_)
        if (q.record().asks_the_same(wanted))
            return id;
    return {};
}

/// Nobody has acted on them, and they ask for less.
std::vector<std::string> approval_set::narrower_than(const approval_record& wanted) const {
    std::vector<std::string> narrower;
    for (const auto& [id, q] : open_)
        if (q.pending() && wanted.asks_for_more(q.record()))
            narrower.push_back(id);
    return narrower;
}

/// What the authorization URL will ask for: begin_authorization() adds offline_access likewise.
scope_set approval_set::requested_by(const recovery_plan& plan) const {
    auto asked = plan.login_scopes;
    if (plan.person != recovery_step::login)
        return asked;
    asked = asked.united_with(desk_.whose().always_asked);
    if (servers_.known() && !asked.empty() && servers_.known()->server.offers_offline_access())
        asked.add("offline_access");
    return asked;
}

scope_set approval_set::asked_now(const approval_request& q) const {
    auto scopes = q.record().login_scopes;
    if (!q.record().step_up)
        return scopes;
    if (const auto* held = state_.held())
        scopes = scopes.united_with(held->requested);
    for (const auto& [id, other] : open_)
        if (&other != &q && other.record().step_up && !other.pending())
            scopes = scopes.united_with(other.record().login_scopes);
    return scopes;
}

/// All but its id and its link.
approval_record approval_set::record_of(const approval_wish& wish) const {
    const auto& whose = desk_.whose();
    const auto& plan = wish.plan;
    const auto& challenge = wish.what.challenge;
    approval_record r;
    r.login_scopes = plan.login_scopes;
    r.silent_scopes = plan.silent_scopes;
    if (wish.confirm_first)
        r.silent = plan.silent;
    r.step_up = plan.step_up;
    r.person = plan.person.value_or(recovery_step::login);
    r.rule = wish.rule;
    r.generation = state_.vault().generation();
    auto& a = r.shown;
    if (challenge.kind == challenge_kind::user_authentication) {
        a.acr_values = challenge.acr_values;
        a.max_age = challenge.max_age;
    }
    a.kind = whose.session() ? approval_kind::idp_login
             : plan.step_up  ? approval_kind::step_up
                             : approval_kind::login;
    a.upstream = wish.shown_upstream.empty() ? whose.upstream : wish.shown_upstream;
    a.principal = whose.principal;
    a.reason =
        wish.by_operator
            ? to_string(challenge_reason::unauthorized)
            : to_string(wish.for_life ? reason_for(challenge.kind).value_or(plan.judged_as) : plan.judged_as);
    const auto* held = whose.session() ? nullptr : state_.held();
    if (held)
        a.granted = held->granted;
    a.requested = requested_by(plan);
    // what was asked before and not granted (offline_access, often) is nothing new
    a.added = held ? plan.added : a.requested;
    for (const auto& o : wish.what.operations)
        if (a.method.empty() && !o.method.empty()) {
            a.method = o.method;
            a.tool = o.tool;
        }
    a.client_name = wish.what.client_name;
    a.arguments = wish.what.arguments;
    a.wished = wish.by_operator;
    a.account_before = whose.session() ? std::string() : state_.last_account().shown;
    a.upstream_host = authority_of(whose.url);
    servers_.describe(a);
    a.completes_without_login = wish.confirm_first;
    a.created_at = desk_.now();
    a.expires_at = desk_.now() + whose.approval_lifetime;
    return r;
}

result<std::string> approval_set::open(const approval_wish& wish) {
    auto record = record_of(wish);
    if (auto same = joinable(record); !same.empty())
        return same;
    auto id = hex_encode(desk_.random(8));
    const auto narrower = narrower_than(record);
    if (open_.size() - narrower.size() >= at_once)
        return failure::passing(fault::overloaded,
                                std::to_string(open_.size()) + " approvals wait for upstream " +
                                    desk_.whose().upstream + " already",
                                "decide one of them first (`mcp-reauth approvals` lists them)");
    record.shown.id = id;
    record.shown.link_secret = secret(base64url_encode(desk_.random(16)));
    record.shown.outcome = state_.take_note();
    show(add(approval_request(std::move(record), wish.what)));
    for (const auto& less : narrower) {
        board_.approval_replaced(less, id);
        end(less, {approval_status::superseded, "A wider question took its place."});
    }
    return id;
}

approval_request& approval_set::add(approval_request q) {
    const auto id = q.id();
    return open_.emplace(id, std::move(q)).first->second;
}

approval_request* approval_set::find(const std::string& id) {
    const auto found = open_.find(id);
    return found == open_.end() ? nullptr : &found->second;
}

approval_request* approval_set::with_work(life::work_id work) {
    for (auto& [id, q] : open_)
        if (q.work() == work)
            return &q;
    return nullptr;
}

approval_request* approval_set::with_device_wait(life::work_id work) {
    for (auto& [id, q] : open_)
        if (q.device_wait() == work && work != 0)
            return &q;
    return nullptr;
}

std::vector<approval_request*> approval_set::in_phase(approval_phase phase) {
    std::vector<approval_request*> found;
    for (auto& [id, q] : open_)
        if (q.phase() == phase)
            found.push_back(&q);
    return found;
}

bool approval_set::signing_in() const noexcept {
    return std::any_of(open_.begin(), open_.end(), [](const auto& q) {
        return q.second.is({approval_phase::redeeming, approval_phase::storing});
    });
}

bool approval_set::storing() const noexcept {
    return std::any_of(open_.begin(), open_.end(),
                       [](const auto& q) { return q.second.phase() == approval_phase::storing; });
}

bool approval_set::may_bring() const noexcept {
    return std::any_of(open_.begin(), open_.end(), [](const auto& q) {
        return q.second.is({approval_phase::authorizing, approval_phase::redeeming, approval_phase::storing});
    });
}

std::optional<std::string> approval_set::outcome_of(const std::string& id) const {
    const auto found = ended_.find(id);
    return found == ended_.end() ? std::nullopt : std::optional(found->second.outcome);
}

failure approval_set::not_open(const std::string& id) const {
    auto gone = failure::permanent(fault::approval_timeout, "this approval is not open any more");
    if (const auto found = ended_.find(id); found != ended_.end())
        gone.message = "this approval has ended (" + std::string(to_string(found->second.status)) +
                       "): " + found->second.outcome;
    return gone;
}

void approval_set::show(const approval_request& q) {
    const auto& whose = desk_.whose();
    auto record = q.record();
    record.session = whose.session();
    record.name = whose.upstream;
    record.place = binding_place(whose.url, whose.resource);
    if (record.resource_metadata.empty())
        record.resource_metadata = servers_.found_at();
    desk_.emit(life::show{q.shown(), std::move(record)});
}

void approval_set::remember_end(const approval& a) {
    ended_[a.id] = {a.status, a.outcome};
    ended_order_.push_back(a.id);
    if (ended_order_.size() > remembered_ends) {
        ended_.erase(ended_order_.front());
        ended_order_.erase(ended_order_.begin());
    }
}

void approval_set::answer_askers(approval_request& q, const result<approve_answer>& answer) {
    for (const auto& who : q.take_askers())
        desk_.emit(life::answer_approve{who.caller, answer});
}

void approval_set::end(const std::string& id, approval_end how) {
    auto node = open_.extract(id);
    if (node.empty())
        return;
    auto& q = node.mapped();
    const auto state = q.record().pending_state;
    q.end(how.status, std::move(how.outcome));
    if (how.share)
        show(q);
    else
        desk_.emit(life::show{q.shown()});
    remember_end(q.shown());
    const auto& why = how.why;
    if (how.status == approval_status::approved) { // somebody was faster than the flow that they wait for
        approve_answer done;
        done.done = true;
        answer_askers(q, done);
    } else {
        if (!state.empty())
            desk_.emit(life::discard_pending{
                state, id, how.status == approval_status::denied || how.status == approval_status::expired});
        answer_askers(q, failure::permanent(why.message.empty() ? fault::approval_timeout : why.code,
                                            "this approval has ended: " + q.shown().outcome, why.fix));
        if (const auto caller = q.take_callback())
            desk_.emit(
                life::answer_callback{*caller, {false, "This sign-in has ended", q.shown().outcome, id}});
        if (q.fresh()) {
            board_.give_up(*q.fresh(), {}, q.client());
            if (q.phase() == approval_phase::storing)
                board_.void_store(q.work(), *q.fresh(), false);
        }
    }
    board_.approval_ended({id, how.status, why, how.in_vault});
}

void approval_set::end_all(const approval_end& how) {
    std::vector<std::string> open;
    for (const auto& [id, q] : open_)
        open.push_back(id);
    for (const auto& id : open)
        end(id, how);
}

void approval_set::expire() {
    std::vector<std::string> late;
    for (const auto& [id, q] : open_)
        if (q.shown().expires_at <= desk_.now())
            late.push_back(id);
    for (const auto& id : late)
        end(id, {approval_status::expired, "Nobody decided in time. The next request asks again.",
                 failure::passing(fault::approval_timeout, "nobody approved this in time",
                                  "try again to be asked again")});
}

void approval_set::note_denial(const approval_request& q) {
    denials_.denied(desk_.now());
    if (denied_.size() >= remembered_ends)
        denied_.clear();
    denied_[q.record().login_scopes.to_string()] = desk_.number();
}

std::uint64_t approval_set::denied_at(const scope_set& scopes) const {
    const auto found = denied_.find(scopes.to_string());
    return found == denied_.end() ? 0 : found->second;
}

void approval_set::deny(const life::deny_asked& e) {
    auto* q = find(e.approval);
    if (!q) {
        const failure gone =
            failure::permanent(fault::approval_timeout, "this approval is not open any more");
        desk_.emit(life::answer_deny{e.caller, gone});
        return;
    }
    note_denial(*q);
    life::audit line;
    line.how = life::happening::denied;
    line.rule = q->record().rule;
    line.client = q->shown().client_name;
    line.approval = e.approval;
    q->decided_by(line.by = e.by);
    end(e.approval, {approval_status::denied, "Denied.",
                     failure::permanent(fault::approval_denied, "a person has denied this")});
    desk_.emit(std::move(line));
    desk_.emit(life::answer_deny{e.caller, result<void>{}});
}

void approval_set::answer_covered(const std::string& outcome) {
    const auto& held = *state_.held();
    std::vector<std::string> covered;
    for (const auto& [id, q] : open_)
        if (q.pending() && !q.record().confirms() && held.granted.covers(q.record().login_scopes) &&
            q.record().generation < held.generation && !q.shown().wants_authentication())
            covered.push_back(id);
    for (const auto& id : covered)
        end(id, {approval_status::approved, outcome});
}

void approval_set::watch_device(approval_request& q) {
    if (q.phase() != approval_phase::authorizing || q.shown().user_code.empty() || q.device_wait())
        return;
    q.wait_for_device(desk_.number());
    desk_.emit(life::await_device{q.device_wait(), q.record().pending_state});
}

} // namespace reauth
