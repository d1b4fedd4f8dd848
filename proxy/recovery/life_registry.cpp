// Made, loaded, told, let go.
#include "proxy/recovery/life_registry.hpp"

#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <filesystem>

namespace reauth {
namespace {

std::string time_of_change(const secret_source& source) {
    if (source.from != secret_source::kind::file)
        return {};
    std::error_code ec;
    const auto when = std::filesystem::last_write_time(source.name, ec);
    return ec ? "missing" : std::to_string(when.time_since_epoch().count());
}

} // namespace

life_entry* life_registry::find(const life_key& key) {
    const auto found = lives_.find(key);
    return found == lives_.end() ? nullptr : found->second.get();
}

const life_entry* life_registry::find(const life_key& key) const {
    const auto found = lives_.find(key);
    return found == lives_.end() ? nullptr : found->second.get();
}

life_entry& life_registry::make(configured_binding place) {
    auto entry = std::make_unique<life_entry>(std::move(place), context_.env.random);
    auto& m = *entry;
    m.used = context_.env.now();
    if (const auto rested = resting_.find(m.key); rested != resting_.end()) {
        m.last = rested->second.last;
        m.published = rested->second.published;
        m.attached = m.published ? m.published->held : credential();
        resting_.erase(rested);
    }
    lives_[m.key] = std::move(entry);
    if (m.place.principal.outside())
        outsiders_.insert_or_assign(m.key.principal, m.place.principal);
    if (made_)
        made_(m);
    return m;
}

life_entry* life_registry::need(const life_key& key) {
    auto* m = find(key);
    if (m && m->removed)
        return nullptr;
    if (m) {
        begin_load(*m);
        return m;
    }
    auto place = find_binding(table_, key);
    if (!place)
        return nullptr;
    auto& made = make(std::move(*place));
    begin_load(made);
    return &made;
}

life_entry* life_registry::session_of(const life_entry& m) {
    if (m.key.session || !m.place.upstream().mints_from_session())
        return nullptr;
    return need({true, m.key.principal, m.place.upstream().identity_provider});
}

std::vector<life_entry*> life_registry::minted_from(const life_entry& session) {
    std::vector<life_entry*> found;
    for (const auto& [key, m] : lives_)
        if (!key.session && key.principal == session.key.principal &&
            m->place.upstream().mints_from_session() &&
            m->place.upstream().identity_provider == session.key.name)
            found.push_back(m.get());
    return found;
}

std::vector<life_entry*> life_registry::all() {
    std::vector<life_entry*> found;
    for (const auto& [key, m] : lives_)
        found.push_back(m.get());
    return found;
}

std::vector<const life_entry*> life_registry::all() const {
    std::vector<const life_entry*> found;
    for (const auto& [key, m] : lives_)
        found.push_back(m.get());
    return found;
}

void life_registry::use(std::shared_ptr<const routing_table> table) {
    table_ = std::move(table);
    for (auto* m : all()) {
        auto place = find_binding(table_, m->key);
        if (!place) {
            if (!std::exchange(m->removed, true))
                tell(m->key, life::removed{});
            continue;
        }
        const bool back = std::exchange(m->removed, false);
        // it says goodbye to the workers under its old number, and then uses the new one
        tell(m->key, life::reconfigured{place->whose});
        const bool moved = m->place.number() != place->number();
        m->place = std::move(*place);
        if (back || moved || m->place.whose.supplied)
            asio::co_spawn(context_.ex, load_later(m->key), asio::detached);
    }
    for (const auto& key : life_keys(*table_, false)) // the vault may hold something for what is new
        detach_unless_covered(*need(key));
    // what rests was obtained for another configuration: it is looked at again when it is needed
    std::erase_if(resting_, [&](const auto& one) { return !find_binding(table_, one.first); });
}

/// Workers still attach what an earlier life has published: not to a place that it was not obtained for.
void life_registry::detach_unless_covered(life_entry& m) {
    if (!m.attached || m.attached->access_token.empty() || m.place.whose.covers(*m.attached))
        return;
    m.attached.reset();
    perform_(m, {life::publish{}});
}

void life_registry::tell(const life_key& key, life_event event) {
    if (auto* m = find(key); m && !m->loaded) {
        m->early.push_back(std::move(event)); // what the vault holds comes first
        return;
    }
    after([this, key, e = std::move(event)] {
        if (auto* m = find(key))
            step(*m, e);
    });
}

void life_registry::step(life_entry& m, const life_event& event) {
    const bool stirs = !std::holds_alternative<life::time_passed>(event);
    if (stirs)
        m.used = context_.env.now();
    m.worked = m.worked || (stirs && !std::holds_alternative<life::loaded>(event) &&
                            !std::holds_alternative<life::remembered>(event) &&
                            !std::holds_alternative<life::session_changed>(event));
    perform_(m, m.life.on(event, context_.env.now()));
    if (stirs && stir_)
        stir_();
    std::erase_if(m.flight_watchers, [&](const auto& watcher) {
        if (m.life.flight() == watcher.first)
            return false;
        watcher.second.give(true);
        return true;
    });
}

void life_registry::after(std::function<void()> then) {
    queue_.push_back(std::move(then));
    drain();
}

void life_registry::drain() {
    if (draining_)
        return;
    draining_ = true;
    while (!queue_.empty()) {
        const auto next = std::move(queue_.front());
        queue_.pop_front();
        next();
    }
    draining_ = false;
}

void life_registry::pass_time() {
    const auto now = context_.env.now();
    for (auto* m : all())
        if (m->loaded) {
            if (!m->life.idle(now)) // else nothing is due
                tell(m->key, life::time_passed{});
            look_at_supply(*m);
        }
    context_.callers.drop_expired(now);
    after([this] { let_go(); });
}

void life_registry::look_at_supply(life_entry& m) {
    if (!m.place.whose.supplied || m.removed)
        return;
    const auto& source = m.key.session ? m.place.idp().id_token : m.place.upstream().token;
    auto changed = time_of_change(source);
    if (changed.empty() || changed == m.supply_seen)
        return;
    const bool first = m.supply_seen.empty();
    m.supply_seen = std::move(changed);
    if (!first)
        tell(m.key, life::supplied{supplied_token(m.place, context_.env.now())});
}

/// How long it may be idle before it is let go.
std::chrono::seconds life_registry::patience_with(const life_entry& m) const {
    if (!m.place.principal.outside() || !m.life.idle(context_.env.now(), true))
        return idle_after;
    return m.worked ? outside_idle_after : unused_after;
}

/// A session stays: its mints ask it. A supplied token's file is watched.
bool life_registry::may_rest(const life_entry& m) const {
    const auto now = context_.env.now();
    return m.loaded && !m.key.session && !m.place.whose.supplied && m.flight_watchers.empty() &&
           now - m.used >= patience_with(m) && m.life.idle(now);
}

void life_registry::let_go() {
    for (auto* m : all()) {
        if (!may_rest(*m))
            continue;
        // of one from outside nothing is worth knowing where nothing is held
        if (!m->removed && (m->life.held() || !m->place.principal.outside())) {
            resting_credential rest;
            rest.principal = m->place.principal;
            rest.published = m->published;
            rest.renewable = m->life.renewable();
            rest.last = m->last;
            resting_[m->key] = std::move(rest);
        }
        lives_.erase(life_key(m->key));
    }
    let_outsiders_go();
}

bool life_registry::idle() const {
    const auto now = context_.env.now();
    return std::all_of(lives_.begin(), lives_.end(), [&](const auto& one) {
        const auto& m = *one.second;
        return m.loaded && (!m.place.principal.outside() || m.key.session) &&
               (!m.place.whose.supplied || m.supply_seen.empty()) && m.life.idle(now);
    });
}

bool life_registry::quiet() const {
    return std::all_of(lives_.begin(), lives_.end(),
                       [](const auto& one) { return one.second->life.quiet(); });
}

} // namespace reauth
