// Who waits at the desk, and what the policy makes of it.
#include "proxy/recovery/desk.hpp"

#include "proxy/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t remembered_failures = 16;

std::string first_operation(const std::vector<rpc_message>& messages) {
    for (const auto& m : messages)
        if (!m.method.empty())
            return m.tool.empty() ? m.method : m.method + " " + m.tool;
    return {};
}

challenge_reason reason_of(challenge_kind k) noexcept {
    switch (k) {
    case challenge_kind::token_expired:
        return challenge_reason::token_expired;
    case challenge_kind::invalid_token:
        return challenge_reason::invalid_token;
    case challenge_kind::insufficient_scope:
        return challenge_reason::insufficient_scope;
    default:
        return challenge_reason::unauthorized;
    }
}

final_key key_of(const account& a, const recovery_ask& ask) {
    return {a.principal, a.upstream, first_operation(ask.messages),
            ask.challenge.scope ? ask.challenge.scope->to_string() : ""};
}

} // namespace

recovery_desk::recovery_desk(asio::io_context& control, fetcher& network, credential_store& store,
                             approvals& questions, flow_environment env, publisher publish)
    : control_(control), network_(network), store_(store), approvals_(questions), env_(std::move(env)),
      publish_(std::move(publish)), vault_(control), holder_(random_token(env_.random, 12)),
      idps_(control.get_executor(), network, store, vault_, env_, holder_), ticker_(control.get_executor()) {
    watch_expiry();
}

recovery_desk::~recovery_desk() = default;

void recovery_desk::stop() {
    stopped_ = true;
    ticker_.cancel();
}

void recovery_desk::use(std::shared_ptr<const routing_table> table) {
    table_ = std::move(table);
    for (const auto& r : table_->routes)
        for (std::size_t p = 0; p < r->slots.size(); ++p)
            account_of(*r, p, *table_->settings);
}

account& recovery_desk::account_of(const route& r, std::size_t principal, const config& settings) {
    auto name =
        settings.client_auth.empty() ? std::string("local") : settings.client_auth[principal].principal;
    auto& a = accounts_[{r.upstream->name, name}];
    if (!a) {
        a = std::make_unique<account>();
        a->upstream = r.upstream->name;
        a->principal = name;
        a->slot = r.slots[principal];
    }
    return *a;
}

void recovery_desk::ask(std::shared_ptr<recovery_ticket> ticket) {
    asio::post(control_, [this, t = std::move(ticket)]() mutable { arrive(std::move(t)); });
}

void recovery_desk::abandon(std::shared_ptr<recovery_ticket> ticket) {
    asio::post(control_, [this, t = std::move(ticket)] { leave(t); });
}

void recovery_desk::arrive(std::shared_ptr<recovery_ticket> ticket) {
    const auto& ask = ticket->ask;
    auto& a = account_of(*ask.upstream, ask.principal, *ask.table->settings);
    if (stopped_) {
        fail(a, ticket, {fault::internal, "mcp-reauth is shutting down", "", "", true});
        return;
    }
    if (a.current && a.current->generation() > ask.sent_generation) {
        recovery_verdict verdict;
        verdict.is = recovery_verdict::kind::replay;
        finish(a, ticket, verdict);
        return;
    }
    waiting_ticket w;
    w.ticket = std::move(ticket);
    w.arrived = ++clock_;
    a.waiting.push_back(std::move(w));
    if (a.busy) {
        ++counters_.joined;
        return;
    }
    a.busy = true;
    asio::co_spawn(control_.get_executor(), serve(a), asio::detached);
}

void recovery_desk::leave(const std::shared_ptr<recovery_ticket>& ticket) {
    const auto& ask = ticket->ask;
    auto& a = account_of(*ask.upstream, ask.principal, *ask.table->settings);
    a.waiting.remove_if([&](const waiting_ticket& w) { return w.ticket == ticket; });
}

waiting_ticket* recovery_desk::entry_of(account& a, const recovery_ticket& ticket) {
    for (auto& w : a.waiting)
        if (w.ticket.get() == &ticket)
            return &w;
    return nullptr;
}

void recovery_desk::finish(account& a, const std::shared_ptr<recovery_ticket>& ticket,
                           recovery_verdict verdict) {
    a.waiting.remove_if([&](const waiting_ticket& w) { return w.ticket == ticket; });
    ticket->finish(std::move(verdict));
}

void recovery_desk::fail(account& a, const std::shared_ptr<recovery_ticket>& ticket, failure why,
                         const challenge_facts* facts) {
    recovery_verdict verdict;
    verdict.is = recovery_verdict::kind::fail;
    verdict.why = std::move(why);
    verdict.reason =
        facts ? std::string(to_string(facts->reason)) : std::string(to_string(ticket->ask.challenge.kind));
    if (facts)
        verdict.required_scopes = facts->added.tokens();
    if (verdict.required_scopes.empty() && ticket->ask.challenge.scope)
        verdict.required_scopes = ticket->ask.challenge.scope->tokens();
    finish(a, ticket, std::move(verdict));
}

/// Whoever holds an older credential than the one in force may try again.
void recovery_desk::settle(account& a) {
    if (!a.current)
        return;
    std::vector<std::pair<std::shared_ptr<recovery_ticket>, bool>> ready;
    for (const auto& w : a.waiting)
        if (w.ticket->ask.sent_generation < a.current->generation())
            ready.emplace_back(w.ticket, w.asked || !w.approval.empty());
    for (auto& [ticket, person] : ready) {
        recovery_verdict verdict;
        verdict.is = recovery_verdict::kind::replay;
        verdict.person_waited = person;
        finish(a, ticket, std::move(verdict));
    }
}

recovery_facts recovery_desk::facts_for(const account& a, const recovery_ask& ask) const {
    recovery_facts f;
    f.grant = std::string(to_string(ask.upstream->upstream->grant));
    f.reason = reason_of(ask.challenge.kind);
    if (ask.challenge.scope)
        f.challenged = *ask.challenge.scope;
    f.configured = ask.upstream->upstream->scopes;
    if (a.server && a.server->scopes_supported)
        f.supported = *a.server->scopes_supported;
    if (a.current) {
        f.held = true;
        f.refresh_token = !a.current->held.refresh_token.empty() && !a.refresh_dead;
        f.requested = a.current->held.requested;
        f.granted = a.current->held.granted;
        // obtained for this very request and refused again: go to the next rung
        if (a.current->generation() > ask.first_generation && a.current->generation() == ask.sent_generation)
            f.just_obtained_by = a.obtained_by;
    }
    add_idp_facts(f, a, *ask.table->settings, *ask.upstream);
    return f;
}

challenge_facts recovery_desk::policy_facts(const account& a, const recovery_ask& ask,
                                            const recovery_plan& plan) {
    challenge_facts f;
    f.upstream = a.upstream;
    f.principal = a.principal;
    for (const auto& m : ask.messages)
        if (!m.method.empty())
            f.operations.push_back({m.method, m.tool});
    f.reason = plan.judged_as;
    f.added = plan.added;
    f.grant = std::string(to_string(ask.upstream->upstream->grant));
    return f;
}

/// Works through everybody who waits, until all are answered, parked or idle.
task<void> recovery_desk::serve(account& a) {
    for (;;) {
        settle(a);
        std::shared_ptr<recovery_ticket> next;
        for (const auto& w : a.waiting)
            if (w.approval.empty() && !w.idle) {
                next = w.ticket;
                break;
            }
        if (!next || stopped_)
            break;
        co_await consider(a, next);
    }
    a.busy = false;
}

/// One ticket: plan, decide, and act. Afterwards it is answered, parked, idle, or a flight has changed the
/// account.
task<void> recovery_desk::consider(account& a, std::shared_ptr<recovery_ticket> ticket) {
    const auto& ask = ticket->ask;
    const auto& r = *ask.upstream;
    const auto& settings = *ask.table->settings;
    auto arrived = entry_of(a, *ticket)->arrived;

    if (ask.challenge.bearer || ask.challenge.dpop) {
        a.challenged_bearer = ask.challenge.bearer;
        a.challenged_dpop = ask.challenge.dpop;
    }
    // refused long before its time: the upstream may have moved to another authorization server (SEP-2352)
    bool unexpected = a.current && a.current->generation() == ask.sent_generation && !ask.renew_only &&
                      ask.challenge.kind != challenge_kind::insufficient_scope &&
                      std::chrono::steady_clock::now() < a.current->renew_at;
    // once for all who were refused with it: else each of a thousand would ask the network again
    if (unexpected && std::exchange(a.doubted_generation, ask.sent_generation) != ask.sent_generation)
        a.discovered_at = {};
    auto found = co_await ensure_server(a, settings, r, ask.challenge.resource_metadata);
    if (!entry_of(a, *ticket))
        co_return;
    if (!found) {
        auto why = found.error();
        note(a, "discovery", &why);
        fail(a, ticket, std::move(why));
        co_return;
    }
    co_await look_at_idp(a, settings, r);
    if (!entry_of(a, *ticket))
        co_return;
    auto plan = plan_recovery(facts_for(a, ask));
    auto facts = policy_facts(a, ask, plan);
    if (auto known = finals_.find(key_of(a, ask), env_.now()); known && !ask.renew_only) {
        fail(a, ticket, {fault::insufficient_scope, *known, "", "", false}, &facts);
        co_return;
    }
    if (plan.final || plan.hopeless()) {
        auto code = facts.reason == challenge_reason::insufficient_scope ? fault::insufficient_scope
                                                                         : fault::reauth_failed;
        failure why{code, "upstream " + a.upstream + ": " + plan.explanation, "", "", false};
        if (plan.final)
            finals_.remember(key_of(a, ask), why.message, env_.now());
        note(a, "recovery", &why);
        fail(a, ticket, std::move(why), &facts);
        co_return;
    }
    auto verdict = decide(ask.table->settings->policy, facts);
    log_event(log_level::debug, "decision",
              {{"upstream", a.upstream},
               {"principal", a.principal},
               {"reason", std::string(to_string(facts.reason))},
               {"action", std::string(to_string(verdict.action))},
               {"rule", verdict.matched.name.empty() ? verdict.matched.where : verdict.matched.name}});
    a.ruled_by = verdict.matched.name.empty() ? verdict.matched.where : verdict.matched.name;
    if (verdict.action == rule_action::deny) {
        auto name = verdict.matched.name.empty() ? verdict.matched.where : verdict.matched.name;
        fail(a, ticket,
             {fault::denied_by_policy, "the policy denies this: rule \"" + name + "\"",
              "ask whoever runs mcp-reauth", "", false},
             &facts);
        co_return;
    }
    if (verdict.action == rule_action::pass) {
        recovery_verdict relay;
        relay.is = recovery_verdict::kind::relay;
        relay.why = {fault::reauth_failed, "the policy passes this challenge to the client", "", "", false};
        finish(a, ticket, std::move(relay));
        co_return;
    }

    failure silent_failure;
    bool tried = false;
    if (!plan.silent.empty() && verdict.action != rule_action::confirm) {
        auto generation = a.current ? a.current->generation() : 0;
        auto wanted = plan.silent_scopes.to_string();
        for (const auto& f : a.failures)
            if (f.generation == generation && f.scopes == wanted && f.finished > arrived) {
                silent_failure = f.why;
                tried = true;
            }
        if (!tried) {
            auto done = co_await run_silent(a, settings, r, plan.silent, plan.silent_scopes);
            if (done)
                co_return; // settle() answers everybody
            silent_failure = done.error();
            tried = true;
            a.failures.push_back({generation, wanted, ++clock_, silent_failure});
            if (a.failures.size() > remembered_failures)
                a.failures.pop_front();
        }
        if (!entry_of(a, *ticket))
            co_return;
        // trouble that passes is no reason to bother a person
        if (silent_failure.transient || !plan.person || verdict.action == rule_action::silent ||
            !person_helps(a, settings, r)) {
            fail(a, ticket, silent_failure, &facts);
            co_return;
        }
    }
    if (!plan.person && verdict.action != rule_action::confirm) {
        fail(a, ticket,
             tried ? silent_failure
                   : failure{fault::reauth_failed, "upstream " + a.upstream + ": " + plan.explanation, "", "",
                             false},
             &facts);
        co_return;
    }
    if (verdict.action == rule_action::silent) {
        fail(a, ticket,
             {facts.reason == challenge_reason::insufficient_scope ? fault::insufficient_scope
                                                                   : fault::reauth_failed,
              "upstream " + a.upstream +
                  " needs a person to sign in, and the policy allows only silent recovery here",
              "change the rule, or run `mcp-reauth login " + a.upstream + "`", "", false},
             &facts);
        co_return;
    }
    if (!ask.may_ask_person || (a.denials.denied_recently(env_.now()) && ask.messages.empty())) {
        entry_of(a, *ticket)->idle = true;
        co_return;
    }
    if (auto until = a.denials.quiet_until(env_.now())) {
        auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*until - env_.now()).count();
        fail(a, ticket,
             {fault::approval_denied,
              "a person has denied this repeatedly; it may be asked again in " + std::to_string(seconds + 1) +
                  " s",
              "run `mcp-reauth login " + a.upstream + "` to sign in at once", "", true},
             &facts);
        co_return;
    }
    // who waited already when a person said no has had the answer
    if (auto no = a.denied.find(plan.login_scopes.to_string());
        no != a.denied.end() && no->second > arrived) {
        fail(a, ticket, {fault::approval_denied, "a person has denied this", "", "", false}, &facts);
        co_return;
    }
    auto opened = open_approval(a, ask.table, r, ask.principal, plan, verdict.action, &ask);
    if (!opened) {
        fail(a, ticket, opened.error(), &facts);
        co_return;
    }
    auto* entry = entry_of(a, *ticket);
    entry->approval = *opened;
    ticket->approval_waits(*opened, approvals_.link(*approvals_.find(*opened)), verdict.wait);
}

void recovery_desk::note(account& a, std::string_view recovery, const failure* why) {
    a.last_recovery_at = env_.now();
    a.last_recovery = recovery;
    a.last_outcome = why ? std::string(to_string(why->code)) : "ok";
    a.last_detail = why ? why->describe() : "";
    if (why)
        log_event(log_level::warn, "recovery failed",
                  {{"upstream", a.upstream},
                   {"principal", a.principal},
                   {"how", std::string(recovery)},
                   {"code", a.last_outcome},
                   {"message", a.last_detail}});
    else
        log_event(log_level::info, "recovered",
                  {{"upstream", a.upstream}, {"principal", a.principal}, {"how", std::string(recovery)}});
}

std::vector<credential_summary> recovery_desk::summaries() const {
    std::vector<credential_summary> all;
    for (const auto& [key, a] : accounts_) {
        credential_summary s;
        s.upstream = a->upstream;
        s.principal = a->principal;
        if (table_)
            for (const auto& r : table_->routes)
                if (r->upstream->name == a->upstream)
                    s.grant = std::string(to_string(r->upstream->grant));
        if (a->current) {
            s.held = true;
            s.renewable = a->current->renewable && !a->refresh_dead;
            s.issuer = a->current->held.issuer;
            s.scopes = a->current->held.granted;
            s.expires_at = a->current->held.expires_at;
        }
        s.last_recovery_at = a->last_recovery_at;
        s.last_recovery = a->last_recovery;
        s.last_outcome = a->last_outcome;
        s.last_outcome_detail = a->last_detail;
        all.push_back(std::move(s));
    }
    return all;
}

} // namespace reauth
