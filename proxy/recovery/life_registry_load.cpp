// What the vault holds, or the configuration supplies, comes into force before a life hears of anything else.
#include "proxy/recovery/life_registry.hpp"

#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>

namespace reauth {
namespace {

/// What the vault held of it when its life was let go.
life::stored_state as_stored(const credential& rested) {
    life::stored_state state;
    if (rested.access_token.empty())
        return state;
    state.value = rested;
    state.generation = rested.generation;
    state.pinned_issuer = rested.issuer;
    return state;
}

/// Of what waits for it to be loaded nothing wants an answer.
bool nobody_asked(const life_entry& m) {
    return std::all_of(m.early.begin(), m.early.end(), [](const life_event& e) {
        return std::holds_alternative<life::remembered>(e) ||
               std::holds_alternative<life::session_changed>(e);
    });
}

} // namespace

result<void> life_registry::load_all(std::shared_ptr<const routing_table> table) {
    table_ = std::move(table);
    for (const bool session : {true, false}) // sessions first: the others hear of them as they are made
        for (const auto& key : life_keys(*table_, session)) {
            auto loaded = load_now(make(*find_binding(table_, key)));
            if (!loaded)
                return loaded;
        }
    return {};
}

result<void> life_registry::load_now(life_entry& m) {
    if (m.place.whose.supplied) {
        auto token = supplied_token(m.place, context_.env.now());
        if (!token && !m.key.session)
            return token.error();
        loaded(m, life::supplied{std::move(token)});
        return {};
    }
    auto state = read_stored(context_.store, m.place, {});
    if (!state)
        return state.error();
    loaded(m, life::loaded{std::move(*state)});
    return {};
}

void life_registry::loaded(life_entry& m, std::optional<life_event> first) {
    m.loaded = true;
    if (first)
        tell(m.key, std::move(*first));
    if (std::exchange(m.attached, std::nullopt) && !m.life.held())
        perform_(m, {life::publish{}}); // signed out of meanwhile, by another process
    if (loaded_)
        loaded_(m);
    tell_load_watchers(m, nullptr);
    for (auto& event : std::exchange(m.early, {}))
        tell(m.key, std::move(event));
}

task<void> life_registry::load_later(life_key key) {
    auto* m = find(key);
    if (!m)
        co_return;
    // what it mints from comes first: else it would ask a person who is signed in
    auto* session = m->place.principal.outside() ? session_of(*m) : nullptr;
    if (session && !session->loaded) {
        const reply<bool> there(context_.ex);
        when_loaded(session->key, [there](const failure*) { there.give(true); });
        co_await there.wait();
        m = find(key);
        if (!m)
            co_return;
    }
    std::optional<life_event> first;
    if (m->place.whose.supplied) {
        first = life::supplied{supplied_token(m->place, context_.env.now())};
    } else {
        life::look what{0, {}};
        auto end = co_await carry_out(context_, m->place, std::move(what));
        const auto& looked = std::get<life::looked>(end);
        m = find(key);
        if (!looked.found)
            log_event(log_level::warn, "vault", {{"message", looked.found.error().describe()}});
        if (looked.found)
            first = life::loaded{*looked.found};
        else if (m && m->attached)
            first = life::loaded{as_stored(*m->attached)}; // what workers have stays in force
        else if (m && m->place.principal.outside() &&
                 nobody_asked(*m)) { // nothing is known of it: not even that nothing is held
            m->loading = false;
            const auto why = looked.found.error();
            tell_load_watchers(*m, &why);
            co_return;
        }
    }
    m = find(key);
    if (!m)
        co_return;
    m->loading = false;
    loaded(*m, std::move(first));
}

void life_registry::begin_load(life_entry& m) {
    if (!m.loaded && !std::exchange(m.loading, true))
        asio::co_spawn(context_.ex, load_later(m.key), asio::detached);
}

void life_registry::tell_load_watchers(life_entry& m, const failure* why) {
    auto watchers = std::exchange(m.load_watchers, {});
    if (watchers.empty())
        return;
    after([w = std::move(watchers), why = why ? std::optional(*why) : std::nullopt] {
        for (const auto& tell : w)
            tell(why ? &*why : nullptr);
    });
}

void life_registry::when_loaded(const life_key& key, std::function<void(const failure*)> then) {
    auto* m = need(key);
    if (!m) {
        const auto unknown =
            failure::permanent(fault::invalid_configuration, "no such upstream or principal");
        then(&unknown);
        return;
    }
    if (m->loaded)
        then(nullptr);
    else
        m->load_watchers.push_back(std::move(then));
}

} // namespace reauth
