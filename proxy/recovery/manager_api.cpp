// What persons and operators ask for, and what they are shown.
#include "proxy/recovery/manager.hpp"

#include "conf/client_entry.hpp"
#include "proxy/recovery/upstream_probe.hpp"

namespace reauth {

task<result<approve_answer>> credential_manager::approve(std::string id, approver who, bool from_page,
                                                         sign_in_method method) {
    const auto* call = call_with(id);
    auto* m = with_question(id);
    if (!m && !call) {
        const auto shown = book_.find(id);
        failure gone = failure::permanent(fault::approval_timeout, "this approval is not open any more");
        if (shown && !shown->outcome.empty())
            gone.message = "this approval has ended: " + shown->outcome;
        co_return gone;
    }
    const auto caller = next_++;
    reply<result<approve_answer>> answer(context_.ex);
    approve_callers_.emplace(caller, answer);
    if (call)
        tell_gate(life_key(*call), life::approve_asked{caller, id, who, from_page, method});
    else
        tell(m->key, life::approve_asked{caller, id, who, from_page, method});
    auto said = co_await answer.wait();
    co_return said;
}

result<void> credential_manager::deny(std::string id) {
    const auto* call = call_with(id);
    auto* m = with_question(id);
    if (!m && !call)
        return failure::permanent(fault::approval_timeout, "this approval is not open any more");
    denied_.reset();
    if (call)
        tell_gate(life_key(*call), life::deny_asked{next_++, id});
    else
        tell(m->key, life::deny_asked{next_++, id});
    return denied_.value_or(result<void>{});
}

/// What the page says where the vault does not know the flow: it was used, or it has ended.
callback_outcome credential_manager::lost_callback(const std::string& state) const {
    callback_outcome outcome;
    outcome.title = "Nothing to do here";
    outcome.detail = "This sign-in was completed already, or it is too old. If a request still waits, "
                     "open its approval again.";
    const auto digest = pending_key(state);
    for (const auto& [ended, approval] : ended_states_)
        if (ended == digest) {
            const auto shown = book_.find(approval);
            outcome.title = "This sign-in has ended";
            outcome.detail = (shown ? shown->outcome : std::string("Its approval is closed.")) +
                             " Nothing was changed; the code from the provider was not used.";
            outcome.approval_id = approval;
        }
    return outcome;
}

namespace {

bool at_idp(const pending_authorization& p) {
    return p.kind == authorization_kind::idp_login;
}

} // namespace

task<bool> credential_manager::knows_flow(std::string state) {
    auto read = [&] { return store_.find_pending(state); };
    const auto found = co_await vault_.run(read);
    if (!found || !*found)
        co_return false;
    const auto& p = **found;
    const auto* m = find({at_idp(p), p.principal, at_idp(p) ? p.identity_provider : p.upstream});
    co_return m && !m->removed;
}

task<callback_outcome> credential_manager::callback(callback_parameters parameters,
                                                    std::optional<std::string> browser_binding) {
    callback_outcome outcome;
    outcome.title = "This sign-in can't be completed";
    if (!parameters.state) {
        outcome.detail =
            "The address holds no `state`: it is not the one that the provider sent you back to.";
        co_return outcome;
    }
    const auto state = *parameters.state;
    auto read = [&] { return store_.find_pending(state); };
    auto found = co_await vault_.run(read);
    if (!found) {
        outcome.detail = found.error().describe();
        co_return outcome;
    }
    if (!*found)
        co_return lost_callback(state);
    auto fits = check_pending(**found, browser_binding, env_.now());
    if (!fits) {
        outcome.detail = fits.error().describe();
        co_return outcome;
    }
    // one use: whoever takes it goes on
    auto take = [&] { return store_.take_pending(state); };
    auto taken = co_await vault_.run(take);
    if (!taken || !*taken)
        co_return lost_callback(state);
    auto pending = std::move(**taken);
    co_return co_await finish_callback(std::move(pending), std::move(parameters), std::move(browser_binding));
}

task<callback_outcome> credential_manager::finish_callback(pending_authorization pending,
                                                           callback_parameters parameters,
                                                           std::optional<std::string> browser_binding) {
    callback_outcome outcome;
    outcome.title = "This sign-in can't be completed";
    outcome.approval_id = pending.approval_id;
    const bool session = at_idp(pending);
    const auto* m =
        find({session, pending.principal, session ? pending.identity_provider : pending.upstream});
    if (!m || m->removed || (session && m->place.whose.url != pending.server.issuer)) {
        outcome.detail = session ? "The identity provider of this sign-in is not configured any more."
                                 : "The upstream of this sign-in is not configured any more.";
        co_return outcome;
    }
    const auto caller = next_++;
    reply<callback_outcome> answer(context_.ex);
    callback_callers_.emplace(caller, answer);
    life::callback_arrived arrived{caller, std::move(pending), std::move(parameters),
                                   std::move(browser_binding)};
    tell(m->key, std::move(arrived));
    auto said = co_await answer.wait();
    co_return said;
}

failure credential_manager::unknown_upstream(const std::string& upstream,
                                             const std::string& principal) const {
    std::string known;
    for (const auto& r : table_->routes)
        known += " " + r->upstream->name;
    return failure::permanent(fault::invalid_configuration,
                              "no upstream " + upstream + " for principal " + principal,
                              "known upstreams:" + known);
}

/// What the upstream asks for where no credential is sent; nothing where it does not say.
task<parsed_challenge> credential_manager::challenge_of(life_place place) {
    auto options = options_for(place);
    auto request = upstream_probe(place.where.upstream());
    auto answer = co_await context_.network.fetch(std::move(request), std::move(options));
    if (!answer)
        co_return parsed_challenge();
    co_return read_challenge(answer->status, answer->headers, false);
}

task<result<std::string>> credential_manager::login(std::string upstream, std::string principal) {
    const auto* m = find({false, principal, upstream});
    if (!m || m->removed)
        co_return unknown_upstream(upstream, principal);
    const auto grant = m->place.whose.grant;
    failure nothing = failure::permanent(fault::invalid_configuration, {}, "there is nothing to log in to");
    if (grant != grant_kind::authorization_code && grant != grant_kind::enterprise) {
        nothing.message =
            "upstream " + upstream + " signs in by itself (grant " + std::string(to_string(grant)) + ")";
        co_return nothing;
    }
    const auto& provider = m->place.where.upstream().identity_provider;
    const auto* session = grant == grant_kind::enterprise ? find({true, principal, provider}) : nullptr;
    if (session && session->place.whose.supplied) {
        nothing.message = "identity provider " + provider + " is used with a supplied ID token";
        co_return nothing;
    }
    life::login_asked wanted;
    if (!m->machine.held() && grant == grant_kind::authorization_code)
        wanted.what.challenge = co_await challenge_of(m->place);
    m = find({false, principal, upstream});
    if (!m || m->removed)
        co_return unknown_upstream(upstream, principal);
    wanted.caller = next_++;
    reply<result<std::string>> answer(context_.ex);
    login_callers_.emplace(wanted.caller, answer);
    tell(m->key, std::move(wanted));
    auto opened = co_await answer.wait();
    co_return opened;
}

task<result<revocation_report>> credential_manager::sign_out(life_key key) {
    const auto caller = next_++;
    reply<result<revocation_report>> answer(context_.ex);
    sign_out_callers_.emplace(caller, answer);
    tell(key, life::sign_out_asked{caller});
    auto done = co_await answer.wait();
    co_return done;
}

task<result<revocation_report>> credential_manager::logout(std::string upstream, std::string principal) {
    const auto* m = find({false, principal, upstream});
    if (!m || m->removed)
        co_return unknown_upstream(upstream, principal);
    co_return co_await sign_out(m->key);
}

task<result<revocation_report>> credential_manager::logout_idp(std::string identity_provider,
                                                               std::string principal) {
    const auto* session = find({true, principal, identity_provider});
    if (!session || session->removed) {
        std::string known;
        for (const auto& [name, provider] : table_->settings->identity_providers)
            known += " " + name;
        co_return failure::permanent(
            fault::invalid_configuration, "no identity provider " + identity_provider,
            known.empty() ? "none is configured" : "known identity providers:" + known);
    }
    std::vector<life_key> keys;
    if (!session->place.whose.supplied)
        keys.push_back(session->key); // first: nothing can be minted from it any more
    for (const auto& r : table_->routes)
        if (r->upstream->identity_provider == identity_provider)
            keys.push_back({false, principal, r->upstream->name});
    // all begin at once, so that none can be minted anew in between
    std::vector<reply<result<revocation_report>>> ends;
    for (const auto& key : keys) {
        const auto caller = next_++;
        ends.emplace_back(context_.ex);
        sign_out_callers_.emplace(caller, ends.back());
        tell(key, life::sign_out_asked{caller});
    }
    revocation_report all;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        auto done = co_await ends[i].wait();
        if (done)
            all.add(std::move(*done));
        else if (!all.trouble)
            all.trouble = done.error();
    }
    if (all.trouble)
        co_return *all.trouble;
    co_return all;
}

task<bool> credential_manager::keep_page_link(std::string digest, time_point until) {
    auto keep = [&] { return store_.keep_page_link(digest, until); };
    auto kept = co_await vault_.run(keep);
    co_return kept.has_value();
}

task<bool> credential_manager::take_page_link(std::string digest) {
    auto take = [&] { return store_.take_page_link(digest); };
    auto taken = co_await vault_.run(take);
    co_return taken.has_value() && *taken;
}

std::vector<credential_summary> credential_manager::summaries() const {
    std::vector<credential_summary> all;
    for (const auto& [key, m] : lives_) {
        if (key.session || m->removed)
            continue;
        credential_summary s;
        s.upstream = key.name;
        s.principal = key.principal;
        s.grant = m->place.whose.grant;
        s.url = m->place.whose.url;
        s.client_url = client_url(*table_->settings, m->place.where.upstream());
        s.program = stdio_command(*table_->settings, m->place.where.upstream());
        s.bearer = !table_->settings->client_auth.empty();
        if (const auto* held = m->machine.held()) {
            s.held = true;
            s.renewable = m->machine.renewable();
            s.saved = m->machine.saved();
            s.issuer = held->issuer;
            s.scopes = held->granted;
            s.expires_at = held->expires_at;
        }
        s.last_recovery_at = m->last.at;
        s.last_recovery = m->last.what;
        s.last_outcome = m->last.code;
        s.last_outcome_detail = m->last.detail;
        all.push_back(std::move(s));
    }
    return all;
}

std::vector<idp_session_summary> credential_manager::idp_sessions() const {
    std::vector<idp_session_summary> all;
    for (const auto& [key, m] : lives_) {
        const auto* held = m->machine.held();
        if (!key.session || m->removed || !held)
            continue;
        idp_session_summary s;
        s.identity_provider = key.name;
        s.principal = key.principal;
        s.issuer = held->issuer;
        s.subject = held->subject;
        s.expires_at = held->expires_at;
        s.renewable = !held->refresh_token.empty();
        s.supplied = m->place.whose.supplied;
        all.push_back(std::move(s));
    }
    return all;
}

} // namespace reauth
