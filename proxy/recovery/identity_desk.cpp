// Kept, told, buried.
#include "proxy/recovery/identity_desk.hpp"

#include "core/oauth/id_token.hpp"
#include "proxy/log/log.hpp"
#include "proxy/recovery/signing_out.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <set>

namespace reauth {

result<void> identity_desk::load() {
    auto ends = context_.store.identity_ends();
    if (!ends)
        return ends.error();
    auto all = std::make_shared<ended_identities>();
    for (auto& e : *ends) {
        auto& at = (*all)[e.key()];
        at = std::max(at, e.at);
        if (e.kind == identity_kind::principal && !e.done)
            begun_.push_back(std::move(e));
    }
    all_ = std::move(all);
    return {};
}

void identity_desk::finish_begun() {
    for (auto& e : std::exchange(begun_, {}))
        asio::co_spawn(context_.ex, bury(std::move(e)), asio::detached);
}

task<void> identity_desk::bury(ended_identity e) {
    co_await end_principal(e.value, e.at, e.why, e.renewed);
}

bool identity_desk::over(const std::vector<std::uint64_t>& keys, time_point since) const {
    return std::any_of(keys.begin(), keys.end(), [&](std::uint64_t key) {
        const auto found = all_->find(key);
        return found != all_->end() && since <= found->second;
    });
}

task<result<void>> identity_desk::keep(ended_identity e) {
    auto write = [&] { return context_.store.store_identity_end(e); };
    auto kept = co_await context_.vault.run(write);
    co_return kept;
}

/// In this process: from now on nothing of before counts.
void identity_desk::apply(const ended_identity& e, bool buried) {
    auto all = std::make_shared<ended_identities>(*all_);
    auto& at = (*all)[e.key()];
    const bool news = at < e.at;
    at = std::max(at, e.at);
    all_ = std::move(all);
    if (!news)
        return;
    if (e.kind == identity_kind::principal)
        context_.callers.forget(e.value);
    const identity_end what{e.key(), e.kind == identity_kind::principal ? e.value : std::string(), e.at,
                            all_};
    if (tell_)
        tell_(what, [this, e](std::vector<std::string> found) { found_by_workers(e, std::move(found)); });
    if (e.kind != identity_kind::principal || buried || e.renewed)
        return; // whom it only renews has tombstones to tell of it
    for (const auto* m : lives_.all())
        if (m->key.principal == e.value)
            lives_.tell(m->key, life::identity_over{});
}

/// Callers whose token names them so, though we call them otherwise.
void identity_desk::found_by_workers(const ended_identity& e, std::vector<std::string> principals) {
    for (auto& principal : principals) {
        const auto known = all_->find(identity_key(identity_kind::principal, {}, principal));
        if (known != all_->end() && e.at <= known->second)
            continue;
        auto theirs = e;
        theirs.kind = identity_kind::principal;
        theirs.value = std::move(principal);
        asio::co_spawn(context_.ex, bury(std::move(theirs)), asio::detached);
    }
}

/// What only says who somebody is, or comes of it, ends; a login of their own at a server does not.
bool identity_desk::concerned(const life_key& key, bool renewed) const {
    if (!renewed || key.session)
        return true;
    const auto* m = std::as_const(lives_).find(key);
    return m && (m->place.upstream().acts_as_caller() || m->place.upstream().mints_from_session());
}

/// Where something is held for them: here, or in the vault.
task<std::vector<life_key>> identity_desk::places_of(std::string principal, bool renewed) {
    std::set<life_key> keys;
    for (const auto* m : lives_.all())
        if (m->key.principal == principal)
            keys.insert(m->key);
    for (const auto& [key, rest] : lives_.resting())
        if (key.principal == principal)
            keys.insert(key);
    const auto table = lives_.table();
    const auto& routes = table->routes;
    auto read = [&]() -> result<void> {
        auto held = context_.store.credentials(principal);
        if (!held)
            return held.error();
        for (const auto& one : *held) {
            const bool there = std::any_of(routes.begin(), routes.end(),
                                           [&](const auto& r) { return r->upstream->name == one.upstream; });
            if (there)
                keys.insert({false, principal, one.upstream});
            else if (!renewed) // no life will bury what is of an upstream that is not configured any more
                if (auto gone = context_.store.erase_credential(principal, one.upstream, one.held.issuer,
                                                                one.held.generation + 1);
                    !gone)
                    return gone.error();
        }
        for (const auto& [name, provider] : table->settings->identity_providers) {
            auto session = context_.store.find_session(principal, name);
            if (session && session->value)
                keys.insert({true, principal, name});
        }
        return {};
    };
    auto done = co_await context_.vault.run(read);
    if (!done)
        log_vault_trouble(done.error());
    co_return std::vector<life_key>(keys.rbegin(), keys.rend()); // sessions first: nothing is minted anew
}

task<result<revocation_report>> identity_desk::end_principal(std::string principal, time_point at,
                                                             std::string why, bool renewed) {
    ended_identity e{identity_kind::principal, {}, principal, at, why, renewed, false};
    auto kept = co_await keep(e);
    if (!kept)
        co_return kept.error();
    apply(e, true);
    auto keys = co_await places_of(principal, renewed);
    std::erase_if(keys, [&](const life_key& key) { return !lives_.need(key) || !concerned(key, renewed); });
    auto all = co_await sign_out_of(context_, lives_, replies_, std::move(keys), !renewed);
    // what a provider does not take is told, and is not tried again
    e.done = !all.trouble || all.trouble->code != fault::vault_unavailable;
    if (e.done)
        co_await keep(e);
    life::audit line;
    line.how = life::happening::identity_ended;
    line.detail = why;
    line.why = all.trouble;
    record_.write_alone({principal, {}, {}, false}, line);
    if (all.trouble)
        co_return *all.trouble;
    co_return all;
}

task<result<void>> identity_desk::end_page_session(std::string session, time_point at) {
    const ended_identity e{
        identity_kind::session, {}, std::move(session), at, "signed out of the page", false, true};
    auto kept = co_await keep(e);
    apply(e);
    co_return kept;
}

/// As the configuration names people of that issuer.
std::vector<std::string> identity_desk::named_by(const event_subject& who, const std::string& issuer) const {
    std::set<std::string> names;
    const auto add = [&](const std::string& entry, const std::string& claim) {
        if (claim == "sub" && !who.subject.empty() && who.issuer == issuer)
            names.insert(principal_name(entry, who.subject));
        if (claim == "email" && !who.email.empty())
            names.insert(principal_name(entry, who.email));
    };
    const auto& settings = *lives_.table()->settings;
    for (const auto& entry : settings.client_auth)
        if (entry.proof == caller_proof::jwt && entry.jwt.issuer == issuer)
            add(entry.name, entry.jwt.principal);
    if (const auto& page = settings.approval.sign_in; page)
        if (const auto at = settings.identity_providers.find(page->identity_provider);
            at != settings.identity_providers.end() && at->second.issuer == issuer)
            add(page->name, page->principal);
    return {names.begin(), names.end()};
}

/// Whose session at the identity provider, as it is held here, is that subject's, or that very session.
std::vector<std::string> identity_desk::with_session(const event_subject& who,
                                                     const std::string& issuer) const {
    std::vector<std::string> names;
    for (const auto* m : std::as_const(lives_).all()) {
        const auto* held = m->life.held();
        if (!m->key.session || !held || held->issuer != issuer)
            continue;
        const auto claims = peek_id_token(held->access_token);
        const bool same = (who.issuer == issuer && !who.subject.empty() && held->subject == who.subject) ||
                          (!who.session.empty() && claims && claims->session == who.session);
        if (same)
            names.push_back(m->key.principal);
    }
    return names;
}

task<result<void>> identity_desk::heard(identity_event event, std::string issuer) {
    std::set<std::string> principals;
    std::vector<ended_identity> ends;
    const bool renewed = event.change == identity_change::renewed;
    for (const auto& who : event.about) {
        for (auto& name : named_by(who, issuer))
            principals.insert(std::move(name));
        for (auto& name : with_session(who, issuer))
            principals.insert(std::move(name));
        if (!who.subject.empty() && who.issuer == issuer)
            ends.push_back(
                {identity_kind::subject, issuer, who.subject, event.at, event.what, renewed, true});
        if (!who.session.empty())
            ends.push_back(
                {identity_kind::session, issuer, who.session, event.at, event.what, renewed, true});
    }
    for (const auto& principal : principals) {
        auto ended = co_await end_principal(principal, event.at, event.what, renewed);
        if (!ended && ended.error().code == fault::vault_unavailable)
            co_return ended.error();
    }
    // then whoever is called otherwise here, and shows it by a token
    for (const auto& e : ends) {
        auto kept = co_await keep(e);
        if (!kept)
            co_return kept;
        apply(e);
    }
    co_return result<void>{};
}

task<void> identity_desk::read_changed(std::string key) {
    auto read = [&]() -> result<std::vector<ended_identity>> {
        if (key.empty())
            return context_.store.identity_ends();
        auto one = context_.store.find_identity_end(key);
        if (!one)
            return one.error();
        std::vector<ended_identity> all;
        if (*one)
            all.push_back(std::move(**one));
        return all;
    };
    auto found = co_await context_.vault.run(read);
    if (!found) {
        log_vault_trouble(found.error());
        co_return;
    }
    for (const auto& e : *found)
        apply(e);
}

} // namespace reauth
