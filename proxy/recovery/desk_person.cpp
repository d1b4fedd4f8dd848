// Recovery that needs a person: approvals, the login they start, and the callback that ends it.
#include "proxy/recovery/desk.hpp"

#include "core/encoding.hpp"
#include "core/uri.hpp"
#include "policy/registration_flow.hpp"
#include "policy/revocation_flow.hpp"
#include "proxy/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::chrono::seconds expiry_tick{1};

bool may_use_dpop(const upstream_config& upstream, const discovered_server& server, bool challenged_dpop,
                  bool challenged_bearer) {
    auto policy = upstream.dpop == dpop_mode::require ? dpop_policy::require
                  : upstream.dpop == dpop_mode::never ? dpop_policy::never
                                                      : dpop_policy::automatic;
    return use_dpop(policy, server.resource_metadata(), challenged_dpop, challenged_bearer);
}

std::string authority_of(const std::string& url) {
    auto parsed = parse_http_url(url);
    return parsed ? parsed->authority() : std::string();
}

} // namespace

/// Opens an approval, or joins the one that asks for the same.
result<std::string> recovery_desk::open_approval(account& a, std::shared_ptr<const routing_table> table,
                                                 const route& r, std::size_t principal,
                                                 const recovery_plan& plan, rule_action action,
                                                 const recovery_ask* ask) {
    bool silent_after = action == rule_action::confirm && !plan.silent.empty();
    bool at_idp = plan.person == rung::idp_login && !silent_after;
    if (at_idp)
        if (const auto* open = idp_question(a, r))
            return *open;
    for (const auto& [id, q] : a.questions)
        if (!at_idp && q.silent.empty() != silent_after && q.login_scopes == plan.login_scopes)
            return id;
    const auto& server = a.server->server;
    approval shown;
    shown.id = hex_encode(env_.random(8));
    shown.link_secret = secret(base64url_encode(env_.random(16)));
    shown.kind = plan.step_up ? approval_kind::step_up : approval_kind::login;
    shown.upstream = a.upstream;
    shown.principal = a.principal;
    shown.reason = to_string(plan.judged_as);
    if (a.current)
        shown.granted = a.current->held.granted;
    shown.requested = plan.login_scopes;
    // what was asked before and not granted (offline_access, often) is nothing new
    shown.added = a.current ? plan.added : plan.login_scopes;
    if (ask) {
        for (const auto& m : ask->messages)
            if (shown.method.empty() && !m.method.empty()) {
                shown.method = m.method;
                shown.tool = m.tool;
            }
        shown.client_name = ask->client_name;
    }
    shown.upstream_host = r.authority;
    shown.issuer = server.issuer;
    shown.login_host = authority_of(server.authorization_endpoint);
    shown.token_host = authority_of(server.token_endpoint);
    if (at_idp)
        show_idp(shown, *table->settings, r);
    shown.completes_without_login = silent_after;
    shown.created_at = env_.now();
    shown.expires_at = shown.created_at + table->settings->approval.lifetime;
    auto opened = approvals_.open(std::move(shown));
    ++counters_.approvals;

    open_question q;
    q.shown = opened;
    q.table = std::move(table);
    q.upstream = &r;
    q.principal = principal;
    q.login_scopes = plan.login_scopes;
    q.silent_scopes = plan.silent_scopes;
    if (silent_after)
        q.silent = plan.silent;
    q.step_up = plan.step_up;
    q.rule = ask ? a.ruled_by : "login by the operator";
    q.mint_after = action != rule_action::confirm || !plan.step_up;
    q.person = plan.person.value_or(rung::login);
    a.questions.emplace(opened->id, std::move(q));
    // the id and the command, never the link: the log may go anywhere
    log_event(log_level::warn, "approval needed",
              {{"id", opened->id},
               {"upstream", a.upstream},
               {"kind", std::string(to_string(opened->kind))},
               {"scopes", opened->requested.to_string()},
               {"run", "mcp-reauth approve " + opened->id}});
    return opened->id;
}

account* recovery_desk::account_with(const std::string& approval_id) {
    for (auto& [key, a] : accounts_)
        if (a->questions.contains(approval_id))
            return a.get();
    return nullptr;
}

task<result<approve_answer>> recovery_desk::approve(std::string id, approver who, bool from_page) {
    auto* a = account_with(id);
    auto shown = approvals_.find(id);
    if (!a || !shown)
        co_return failure{fault::approval_timeout, "this approval is not open any more", "", "", false};
    auto& q = a->questions[id];
    if (!q.silent.empty()) {
        if (who != approver::operator_token)
            co_return failure{fault::approval_required,
                              "this approval is completed without a login, so it needs the operator",
                              "run `mcp-reauth approve " + id + "`, or open the dashboard", "", false};
        auto done = co_await complete_silently(*a, id);
        // the session may turn out to be gone: then the same question goes on as a login
        if (done || !a->questions.contains(id) || !a->questions[id].silent.empty())
            co_return done;
        co_return co_await approve(id, who, from_page);
    }
    if (shown->status == approval_status::authorizing) {
        // the operator may carry the same flow to another device
        if (!from_page && q.browser_binding) {
            auto state = q.pending_state;
            auto read = [&] { return store_.find_pending(state.reveal()); };
            auto pending = co_await vault_.run(read);
            if (pending && *pending) {
                (*pending)->browser_binding_hash.clear();
                auto write = [&] { return store_.store_pending(**pending); };
                auto written = co_await vault_.run(write);
                if (!written)
                    co_return written.error();
                q.browser_binding.reset();
            }
        }
        approve_answer again;
        again.location = shown->location;
        if (from_page)
            again.browser_binding = q.browser_binding;
        co_return again;
    }
    if (q.starting)
        co_return failure{fault::approval_required, "this approval is being started", "try again in a moment",
                          "", true};
    q.starting = true;
    auto begun = co_await start_login(*a, q, from_page);
    // the question may have been decided while we registered
    if (a->questions.contains(id))
        a->questions[id].starting = false;
    if (!begun) {
        auto why = begun.error();
        note(*a, "login", &why);
        // whoever waits learns now what has to be changed; trouble that passes keeps the question open
        if (!why.transient)
            decided(*a, id, approval_status::failed, why.describe(), why);
    }
    co_return begun;
}

task<result<approve_answer>> recovery_desk::start_login(account& a, open_question& q, bool from_page) {
    auto id = q.shown->id;
    auto table = q.table;
    const auto& settings = *table->settings;
    const auto& r = *q.upstream;
    if (r.upstream->grant == grant_kind::enterprise)
        co_return co_await start_idp_login(a, id, from_page);
    auto client = co_await client_for(a, settings, r);
    if (!client)
        co_return client.error();
    if (!a.questions.contains(id))
        co_return failure{fault::approval_timeout, "this approval is not open any more", "", "", false};
    authorization_inputs inputs;
    inputs.upstream = a.upstream;
    inputs.principal = a.principal;
    inputs.approval_id = id;
    inputs.server = a.server->server;
    inputs.client = *client;
    inputs.redirect_uri = settings.approval.public_url + "/oauth/callback";
    inputs.resource = a.server->resource;
    inputs.scopes = q.login_scopes;
    inputs.authorize_params = r.upstream->authorize_params;
    inputs.allow_missing_pkce = r.upstream->allow_missing_pkce;
    inputs.dpop = may_use_dpop(*r.upstream, *a.server, a.challenged_dpop, a.challenged_bearer);
    inputs.bind_to_browser = from_page;
    inputs.lifetime = settings.approval.lifetime;
    auto begun = begin_authorization(env_, std::move(inputs));
    if (!begun)
        co_return begun.error();
    co_return co_await publish_pending(a, id, std::move(*begun), from_page);
}

/// Stores the flow before anyone sees its URL.
task<result<approve_answer>> recovery_desk::publish_pending(account& a, std::string id,
                                                            begun_authorization begun, bool from_page) {
    auto write = [&] { return store_.store_pending(begun.pending); };
    auto written = co_await vault_.run(write);
    if (!written)
        co_return written.error();
    auto shown = approvals_.find(id);
    if (!a.questions.contains(id) || !shown)
        co_return failure{fault::approval_timeout, "this approval is not open any more", "", "", false};
    auto& open = a.questions[id];
    open.pending_state = begun.pending.state;
    if (from_page && !begun.browser_binding.empty())
        open.browser_binding = begun.browser_binding;
    shown->location = begun.pending.location;
    approvals_.update(shown, approval_status::authorizing);
    approve_answer answer;
    answer.location = shown->location;
    if (from_page)
        answer.browser_binding = open.browser_binding;
    co_return answer;
}

/// `confirm`: a person agreed, the rest is silent.
task<result<approve_answer>> recovery_desk::complete_silently(account& a, std::string id) {
    auto q = a.questions[id];
    auto table = q.table;
    auto& live = a.questions[id];
    if (live.starting)
        co_return failure{fault::approval_required, "this approval is being carried out",
                          "try again in a moment", "", true};
    live.starting = true;
    a.ruled_by = q.rule;
    auto done = co_await run_silent(a, *table->settings, *q.upstream, q.silent, q.silent_scopes);
    if (!done) {
        if (auto it = a.questions.find(id); it != a.questions.end()) {
            it->second.starting = false;
            if (!done.error().transient && q.person == rung::idp_login &&
                person_helps(a, *table->settings, *q.upstream)) {
                it->second.silent.clear();
                it->second.mint_after = true;
                it->second.shown->completes_without_login = false;
                show_idp(*it->second.shown, *table->settings, *q.upstream);
            } else if (!done.error().transient)
                decided(a, id, approval_status::failed, done.error().describe(), done.error());
        }
        co_return done.error();
    }
    a.denials.approved();
    decided(a, id, approval_status::approved, "Approved: the request goes on.", {});
    settle(a);
    approve_answer answer;
    answer.done = true;
    co_return answer;
}

/// An approval has come to its end: those parked on it are answered (or, when approved, settled by the
/// caller).
void recovery_desk::decided(account& a, const std::string& id, approval_status status, std::string outcome,
                            failure why) {
    auto it = a.questions.find(id);
    if (it == a.questions.end())
        return;
    auto shown = it->second.shown;
    auto link = approvals_.link(*shown);
    a.questions.erase(it);
    approvals_.update(shown, status, std::move(outcome));
    if (status == approval_status::approved)
        return;
    // a login at an identity provider is waited for by several accounts
    for (auto& [key, other] : accounts_) {
        std::vector<std::shared_ptr<recovery_ticket>> parked;
        for (const auto& w : other->waiting)
            if (w.approval == id)
                parked.push_back(w.ticket);
        for (const auto& ticket : parked)
            fail(*other, ticket, why);
    }
}

result<void> recovery_desk::deny(std::string id) {
    auto* a = account_with(id);
    if (!a)
        return failure{fault::approval_timeout, "this approval is not open any more", "", "", false};
    ++counters_.denials;
    a->denials.denied(env_.now());
    a->denied[a->questions[id].login_scopes.to_string()] = ++clock_;
    log_event(log_level::info, "approval denied",
              {{"id", id}, {"upstream", a->upstream}, {"principal", a->principal}});
    decided(*a, id, approval_status::denied, "Denied.",
            {fault::approval_denied, "a person has denied this", "", "", false});
    return {};
}

void recovery_desk::watch_expiry() {
    ticker_.expires_after(expiry_tick);
    ticker_.async_wait([this](error_code ec) {
        if (ec || stopped_)
            return;
        auto now = env_.now();
        for (auto& [key, a] : accounts_) {
            std::vector<std::string> old;
            for (const auto& [id, q] : a->questions)
                if (q.shown->expires_at <= now)
                    old.push_back(id);
            for (const auto& id : old)
                decided(*a, id, approval_status::expired, "Nobody decided in time.",
                        {fault::approval_timeout, "nobody approved this in time",
                         "try again to be asked again", "", true});
        }
        approvals_.expire(now);
        watch_expiry();
    });
}

task<callback_outcome> recovery_desk::callback(callback_parameters parameters,
                                               std::optional<std::string> browser_binding) {
    callback_outcome outcome;
    outcome.title = "This sign-in can't be completed";
    if (!parameters.state) {
        outcome.detail =
            "The address holds no `state`: it is not the one that the provider sent you back to.";
        co_return outcome;
    }
    auto state = *parameters.state;
    auto read = [&] { return store_.find_pending(state); };
    auto found = co_await vault_.run(read);
    if (!found) {
        outcome.detail = found.error().describe();
        co_return outcome;
    }
    if (!*found) {
        outcome.title = "Nothing to do here";
        outcome.detail = "This sign-in was completed already, or it is too old. If a request still waits, "
                         "open its approval again.";
        co_return outcome;
    }
    auto fits = check_pending(**found, browser_binding, env_.now());
    if (!fits) {
        outcome.detail = fits.error().describe();
        co_return outcome;
    }
    // one use: whoever takes it goes on
    auto take = [&] { return store_.take_pending(state); };
    auto taken = co_await vault_.run(take);
    if (!taken || !*taken) {
        outcome.title = "Nothing to do here";
        outcome.detail = "This sign-in was completed already.";
        co_return outcome;
    }
    auto pending = std::move(**taken);
    outcome.approval_id = pending.approval_id;
    auto arrived = std::move(parameters);
    if (pending.kind == authorization_kind::idp_login)
        co_return co_await finish_idp_callback(std::move(pending), std::move(arrived),
                                               std::move(browser_binding), std::move(outcome));
    co_return co_await finish_callback(std::move(pending), std::move(arrived), std::move(browser_binding),
                                       std::move(outcome));
}

task<callback_outcome> recovery_desk::finish_callback(pending_authorization pending,
                                                      authorization_callback arrived,
                                                      std::optional<std::string> browser_binding,
                                                      callback_outcome outcome) {
    auto found = accounts_.find({pending.upstream, pending.principal});
    const route* r = nullptr;
    auto table = table_;
    for (const auto& candidate : table->routes)
        if (candidate->upstream->name == pending.upstream)
            r = candidate.get();
    if (found == accounts_.end() || !r) {
        outcome.detail = "The upstream of this sign-in is not configured any more.";
        co_return outcome;
    }
    auto& a = *found->second;
    auto id = pending.approval_id;
    auto client = pending.client;
    auto issuer = pending.server.issuer;
    auto options = options_for(*table->settings, *r);
    auto work =
        finish_authorization(env_, std::move(pending), std::move(arrived), std::move(browser_binding));
    auto fresh = co_await drive(control_.get_executor(), network_, options, std::move(work));
    if (fresh) {
        fresh->generation = a.last_generation;
        auto write = [&] {
            // a person approved this issuer: from now on it is the one
            auto pinned = store_.pin_issuer(a.principal, a.upstream, issuer);
            return pinned ? store_.store_credential(a.principal, a.upstream, *fresh)
                          : result<credential>(pinned.error());
        };
        auto stored = co_await vault_.run(write);
        if (!stored)
            fresh = stored.error();
        else
            fresh = std::move(*stored);
    }
    if (!fresh) {
        auto why = fresh.error();
        note(a, "login", &why);
        outcome.detail = why.describe();
        bool again = wants_new_registration(why, client);
        if (again) {
            auto forget = [&] { return store_.erase_registration(issuer, a.upstream); };
            auto forgotten = co_await vault_.run(forget);
            if (forgotten)
                outcome.detail = "The provider no longer knows this client. It is registered anew at the "
                                 "next try: approve once more.";
        }
        if (why.code == fault::approval_denied) {
            ++counters_.denials;
            a.denials.denied(env_.now());
            outcome.title = "Denied at the provider";
            decided(a, id, approval_status::denied, why.describe(), why);
        } else if (auto it = a.questions.find(id); !again) {
            // a code is good for one try: this flow is over, and whoever waits learns why
            decided(a, id, approval_status::failed, why.describe(), why);
        } else if (it != a.questions.end()) {
            it->second.browser_binding.reset();
            it->second.shown->location.clear();
            approvals_.update(it->second.shown, approval_status::pending, why.describe());
        }
        co_return outcome;
    }
    a.pinned_issuer = issuer;
    a.denials.approved();
    a.ruled_by = a.questions.contains(id) ? a.questions[id].rule : "";
    auto step_up = a.questions.contains(id) && a.questions[id].step_up;
    step_up ? ++counters_.step_ups : ++counters_.logins;
    auto waiting =
        std::count_if(a.waiting.begin(), a.waiting.end(), [](const waiting_ticket& w) { return !w.idle; });
    auto kept = co_await keep(a, *table->settings, std::move(*fresh), rung::login);
    outcome.ok = kept.has_value();
    outcome.title = "Done";
    outcome.detail = waiting > 0 ? "Your request goes on. You can close this page."
                                 : "You are signed in; nothing was waiting any more, the next request will "
                                   "work. You can close this page.";
    decided(a, id, approval_status::approved, "Approved: signed in at " + host_of(issuer) + ".", {});
    // other questions of this account may be answered by what was granted
    std::vector<std::string> covered;
    for (const auto& [other, q] : a.questions)
        if (a.current->held.granted.covers(q.login_scopes))
            covered.push_back(other);
    for (const auto& other : covered)
        decided(a, other, approval_status::approved, "Answered by another approval.", {});
    settle(a);
    co_return outcome;
}

task<result<std::string>> recovery_desk::login(std::string upstream, std::string principal) {
    auto table = table_;
    const route* r = nullptr;
    for (const auto& candidate : table->routes)
        if (candidate->upstream->name == upstream)
            r = candidate.get();
    auto found = accounts_.find({upstream, principal});
    if (!r || found == accounts_.end()) {
        std::string known;
        for (const auto& candidate : table->routes)
            known += " " + candidate->upstream->name;
        co_return failure{fault::invalid_configuration,
                          "no upstream " + upstream + " for principal " + principal,
                          "known upstreams:" + known, "", false};
    }
    auto& a = *found->second;
    if (r->upstream->grant != grant_kind::authorization_code && r->upstream->grant != grant_kind::enterprise)
        co_return failure{fault::invalid_configuration,
                          "upstream " + upstream + " signs in by itself (grant " +
                              std::string(to_string(r->upstream->grant)) + ")",
                          "there is nothing to log in to", "", false};
    auto known = co_await ensure_server(a, *table->settings, *r, std::string());
    if (!known)
        co_return known.error();
    if (r->upstream->grant == grant_kind::enterprise &&
        table->settings->identity_providers.at(r->upstream->identity_provider).id_token.from !=
            secret_source::kind::none)
        co_return failure{fault::invalid_configuration,
                          "identity provider " + r->upstream->identity_provider +
                              " is used with a supplied ID token",
                          "there is nothing to log in to", "", false};
    recovery_plan plan;
    plan.person = r->upstream->grant == grant_kind::enterprise ? rung::idp_login : rung::login;
    plan.login_scopes =
        first_scopes(r->upstream->scopes, {}, a.server->scopes_supported.value_or(scope_set{}));
    if (a.current && !a.current->held.requested.empty())
        plan.login_scopes = a.current->held.requested;
    plan.silent_scopes = plan.login_scopes;
    std::size_t number = 0;
    const auto& clients = table->settings->client_auth;
    for (std::size_t i = 0; i < clients.size(); ++i)
        if (clients[i].principal == principal)
            number = i;
    co_return open_approval(a, table, *r, number, plan, rule_action::interactive, nullptr);
}

task<result<void>> recovery_desk::logout(std::string upstream, std::string principal) {
    auto found = accounts_.find({upstream, principal});
    if (found == accounts_.end())
        co_return failure{fault::invalid_configuration,
                          "no upstream " + upstream + " for principal " + principal,
                          "see `mcp-reauth status`", "", false};
    auto& a = *found->second;
    auto held = a.current;
    auto table = table_;
    const route* r = nullptr;
    for (const auto& candidate : table->routes)
        if (candidate->upstream->name == upstream)
            r = candidate.get();
    // gone here first: whatever the provider says, the next request asks a person
    auto issuer = held ? held->held.issuer : a.pinned_issuer;
    auto erase = [&] {
        auto gone = store_.erase_credential(a.principal, a.upstream, issuer);
        return gone ? store_.unpin_issuer(a.principal, a.upstream) : gone;
    };
    auto erased = co_await vault_.run(erase);
    if (!erased)
        co_return erased.error();
    a.current = nullptr;
    a.pinned_issuer.clear();
    publish_(a.slot, nullptr);
    if (!held || !r)
        co_return result<void>{};
    auto known = co_await ensure_server(a, *table->settings, *r, std::string());
    if (!known)
        co_return known.error();
    auto client = co_await client_for(a, *table->settings, *r);
    if (!client)
        co_return client.error();
    revocation_inputs inputs;
    inputs.server = a.server->server;
    inputs.client = *client;
    inputs.held = held->held;
    auto options = options_for(*table->settings, *r);
    auto work = revoke_credential(env_, std::move(inputs));
    auto revoked = co_await drive(control_.get_executor(), network_, options, std::move(work));
    if (revoked) {
        note(a, "logout", nullptr);
    } else {
        auto why = revoked.error();
        note(a, "logout", &why);
    }
    co_return revoked;
}

} // namespace reauth
