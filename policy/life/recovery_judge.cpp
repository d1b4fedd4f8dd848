// What follows from a judgement.
#include "policy/life/recovery_judge.hpp"

namespace reauth {
namespace {

constexpr std::chrono::seconds nearly_over{30};

/// The credential itself is refused, not what it may do or how its person signed in.
bool refuses_credential(const life::refusal& what) {
    return !what.notice_only && what.challenge.kind != challenge_kind::insufficient_scope &&
           what.challenge.kind != challenge_kind::user_authentication;
}

} // namespace

void recovery_judge::forget_final() {
    finals_.forget(desk_.whose().principal, desk_.whose().upstream);
}

void recovery_judge::begin_epoch() {
    look_ = 0;
    doubted_ = 0;
    finals_ = {};
}

void recovery_judge::renumbered(std::uint64_t before, std::uint64_t now) noexcept {
    if (doubted_ == before)
        doubted_ = now;
}

/// A token that was just issued: its server gets time to know it, before anything else is tried.
bool recovery_judge::pauses_first(waiting_request& r) {
    const auto* held = parts_.state.held();
    const bool refused = held && !desk_.whose().supplied && held->generation == r.what.sent_generation &&
                         refuses_credential(r.what);
    if (!refused)
        return false;
    if (r.what.had_worked)
        fresh_refusals_.worked(held->generation);
    const auto again = fresh_refusals_.again_at(*held, desk_.now());
    if (again)
        parts_.waiting.pause(r, *again);
    return again.has_value();
}

/// Long before: the upstream may have moved to another authorization server (SEP-2352).
bool recovery_judge::refused_before_its_time(const waiting_request& r) const {
    const auto* held = parts_.state.held();
    return held && held->generation == r.what.sent_generation && refuses_credential(r.what) &&
           !(held->expires_at && *held->expires_at <= desk_.now() + nearly_over);
}

/// The server has to be looked up first: then r waits for that, or hears that it can't be yet.
bool recovery_judge::needs_lookup(waiting_request& r) {
    auto& servers = parts_.servers;
    switch (servers.lookup_for(r.what, r.discovered)) {
    case server_search::lookup::not_needed:
        return false;
    case server_search::lookup::not_before:
        parts_.waiting.fail(r, servers.not_before());
        return true;
    case server_search::lookup::needed:
        break;
    }
    if (!servers.under_way())
        servers.look_up(r.what.challenge.resource_metadata);
    parts_.waiting.park(r, waits::discovery, servers.under_way());
    return true;
}

void recovery_judge::consider(waiting_request& r) {
    if (r.login) {
        consider_login(r);
        return;
    }
    if (parts_.state.generation() > r.what.sent_generation) {
        parts_.waiting.replay(r);
        return;
    }
    if (pauses_first(r))
        return;
    parts_.servers.challenged(r.what.challenge);
    // asked once for all who were refused with it
    if (refused_before_its_time(r) && doubted_ != r.what.sent_generation) {
        doubted_ = r.what.sent_generation;
        parts_.servers.doubt();
    }
    if (needs_lookup(r))
        return;
    auto situation = situation_of(r);
    const auto judged = judge(*desk_.whose().rules, situation);
    desk_.emit(life::judged{r.id, std::move(situation), judged});
    act(r, judged);
}

/// Whose it is; what a person is to be asked is still to be said.
approval_wish recovery_judge::wish_of(const waiting_request& r) const {
    approval_wish wish;
    wish.what = r.what;
    wish.by_operator = r.login && !r.for_life;
    wish.for_life = r.for_life;
    wish.shown_upstream = r.shown_upstream;
    return wish;
}

/// A login that is wanted without a request: always an approval.
void recovery_judge::consider_login(waiting_request& r) {
    if (needs_lookup(r))
        return;
    if (r.for_life) {
        if (const auto quiet = situation_of(r).quiet_for) {
            parts_.waiting.fail(
                r, failure::passing(fault::approval_denied,
                                    "a person has denied this repeatedly; it may be asked again in " +
                                        std::to_string(quiet->count()) + " s",
                                    "run `mcp-reauth login " + r.shown_upstream + "` to sign in at once"));
            return;
        }
    }
    if (r.for_life && !r.looked) {
        look_first(r);
        return;
    }
    const auto& whose = desk_.whose();
    if (whose.grant == grant_kind::enterprise) {
        want_session(r);
        return;
    }
    const auto& server = parts_.servers.known();
    const auto* held = parts_.state.held();
    auto wish = wish_of(r);
    wish.plan.person = whose.session() ? recovery_step::idp_login : recovery_step::login;
    wish.plan.login_scopes =
        first_scopes(whose.scopes, r.what.challenge.scope.value_or(scope_set{}),
                     server ? server->scopes_supported.value_or(scope_set{}) : scope_set{});
    if (held && !held->requested.empty())
        wish.plan.login_scopes = held->requested;
    wish.plan.silent_scopes = wish.plan.login_scopes;
    wish.rule = r.for_life ? std::string() : "login by the operator";
    parts_.waiting.answer_login(r, parts_.approvals.open(wish));
}

void recovery_judge::act(waiting_request& r, const judgement& j) {
    switch (j.move) {
    case next_move::answer:
        answer(r, j);
        return;
    case next_move::relay:
        parts_.waiting.relay(r, j.why);
        return;
    case next_move::silent:
        fly(r, j);
        return;
    case next_move::wait:
        parts_.waiting.park(r, waits::anything);
        return;
    case next_move::ask:
        ask(r, j);
        return;
    }
}

void recovery_judge::answer(waiting_request& r, const judgement& j) {
    if (j.final)
        finals_.remember(key_of(r), {j.why, j.facts.reason}, desk_.now());
    if (j.final || j.why.code == fault::denied_by_policy) {
        life::audit line;
        line.how = j.final ? life::happening::final_answer : life::happening::policy;
        line.rule = j.rule_name();
        line.client = r.what.client_name;
        line.why = j.why;
        parts_.state.report(std::move(line));
    }
    parts_.waiting.fail(r, j.why, &j.facts);
}

void recovery_judge::fly(waiting_request& r, const judgement& j) {
    auto& flight = parts_.flight;
    const bool first = !flight;
    if (first)
        flight.order({j.plan.silent, j.plan.silent_scopes, j.rule_name(), {}, r.what.client_name});
    r.wanted = j.plan.silent_scopes;
    parts_.waiting.park(r, waits::flight, flight.id());
    if (first)
        flight.launch(parts_.unsaved.lock());
}

/// Before a person is asked the vault is asked.
void recovery_judge::look_first(waiting_request& r) {
    if (!look_) {
        look_ = desk_.number();
        desk_.emit(life::look{look_, parts_.servers.issuer()});
    }
    parts_.waiting.park(r, waits::look, look_);
}

bool recovery_judge::on(const life::looked& e) {
    if (!look_ || look_ != e.work)
        return false;
    look_ = 0;
    return true;
}

/// r waits for a person's login at the identity provider: asked for once, whoever needs it.
void recovery_judge::want_session(waiting_request& r) {
    parts_.session.want(r.what, r.login.has_value());
    parts_.waiting.wait_for_session(r, parts_.session.approval());
}

/// A person is needed. First the vault: another process may hold what is needed.
void recovery_judge::ask(waiting_request& r, const judgement& j) {
    if (!r.looked) {
        look_first(r);
        return;
    }
    const auto& whose = desk_.whose();
    r.wait = j.rule.wait;
    r.reason = std::string(to_string(j.facts.reason));
    r.required_scopes = j.facts.added.tokens();
    if (r.required_scopes.empty() && r.what.challenge.scope)
        r.required_scopes = r.what.challenge.scope->tokens();
    if (j.plan.person == recovery_step::idp_login && !j.confirm_first &&
        whose.grant == grant_kind::enterprise) {
        want_session(r);
        return;
    }
    const auto& server = parts_.servers.known();
    if (server && j.plan.person == recovery_step::login && whose.browser_login) {
        const auto possible = check_front_channel(server->server, whose.may_push);
        if (!possible) {
            parts_.waiting.fail(r, possible.error(), &j.facts);
            return;
        }
    }
    auto wish = wish_of(r);
    wish.plan = j.plan;
    wish.confirm_first = j.confirm_first;
    wish.rule = j.rule_name();
    const auto opened = parts_.approvals.open(wish);
    if (opened)
        parts_.waiting.wait_for_approval(r, *opened);
    else
        parts_.waiting.fail(r, opened.error(), &j.facts);
}

} // namespace reauth
