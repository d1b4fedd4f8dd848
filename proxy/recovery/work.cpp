// Lock, look, run, store, erase.
#include "proxy/recovery/work.hpp"

#include "proxy/log/log.hpp"

#include <algorithm>

namespace reauth {

void log_vault_trouble(const failure& trouble) {
    log_event(log_level::error, "vault", {{"message", trouble.describe()}});
}

namespace {

/// One recovery of a credential at a time among all processes that share the vault.
std::string lock_name(const configured_binding& place) {
    return (place.session() ? "idp|" + place.provider : "recover|" + place.whose.upstream) + "|" +
           place.whose.principal;
}

} // namespace

task<life_event> carry_out(recovery_context& context, configured_binding place, life::lock what) {
    context.step("lock");
    auto won = co_await context.locks.take(lock_name(place), what.work, 4 * place.token_request_timeout());
    co_return life::locked{what.work, std::move(won)};
}

task<void> carry_out(recovery_context& context, configured_binding place, life::unlock what) {
    context.locks.give_back(lock_name(place), what.work);
    co_return;
}

task<life_event> carry_out(recovery_context& context, configured_binding, life::take_call what) {
    const auto now = context.env.now();
    auto use = [&] { return context.store.take_call(what.as, now); };
    auto taken = co_await context.vault.run(use);
    co_return life::call_taken{what.approval, std::move(taken)};
}

result<life::stored_state> read_stored(credential_store& store, const configured_binding& place,
                                       const std::string& issuer_wanted) {
    const auto& whose = place.whose;
    if (place.session())
        return store.find_session(whose.principal, place.provider);
    auto pinned = store.pinned_issuer(whose.principal, whose.upstream);
    if (!pinned)
        return pinned.error();
    const auto issuer = issuer_wanted.empty() ? pinned->value_or("") : issuer_wanted;
    life::stored_state none;
    auto found = issuer.empty() ? result<life::stored_state>(none)
                                : store.find_credential(whose.principal, whose.upstream, issuer);
    if (found)
        found->pinned_issuer = pinned->value_or("");
    return found;
}

namespace {

// whoever had begun a refresh and lost its lock with its connection stores it within that time, if it lives
constexpr std::chrono::seconds rival_patience{6};
constexpr std::chrono::milliseconds look_again{200};

refresh_mark mark_of(const recovery_context& context, const configured_binding& place,
                     std::uint64_t generation) {
    return {place.session(), place.whose.principal, place.session() ? place.provider : place.whose.upstream,
            generation, context.process};
}

/// What is there, and whether somebody else had begun to refresh exactly that.
result<life::stored_state> read_under_lock(recovery_context& context, const configured_binding& place,
                                           const std::string& issuer) {
    auto found = read_stored(context.store, place, issuer);
    if (!found)
        return found;
    const auto ours = mark_of(context, place, found->generation);
    auto later = context.store.postponed(ours.session, ours.principal, ours.name);
    if (!later)
        return later.error();
    found->not_before = *later;
    if (!found->value)
        return found;
    auto mark = context.store.refresh_under_way(ours.session, ours.principal, ours.name);
    if (!mark)
        return mark.error();
    found->interrupted = *mark && (*mark)->generation == found->generation && (*mark)->by != ours.by;
    return found;
}

} // namespace

task<life_event> carry_out(recovery_context& context, configured_binding place, life::look what) {
    const auto limit = place.token_request_timeout();
    context.step("look");
    const bool may_be_alive = context.store.records().locks_can_be_lost();
    const auto begun = std::chrono::steady_clock::now();
    auto read = [&] {
        return what.under_lock ? read_under_lock(context, place, what.issuer)
                               : read_stored(context.store, place, what.issuer);
    };
    auto found = co_await context.vault.run(read);
    for (;;) {
        const auto waited = std::chrono::steady_clock::now() - begun;
        const bool trouble = !found && found.error().transient && what.under_lock && waited < limit;
        const bool rival = found && found->interrupted && may_be_alive && waited < rival_patience;
        if (!trouble && !rival)
            break;
        loop_timer timer(context.ex, look_again);
        error_code ec;
        auto token = asio::redirect_error(use_task, ec);
        co_await timer.async_wait(token);
        found = co_await context.vault.run(read);
    }
    if (!found) {
        auto why = found.error();
        why.transient = true; // what can't be read now may be readable again
        co_return life::looked{what.work, why};
    }
    co_return life::looked{what.work, std::move(found)};
}

task<life_event> carry_out(recovery_context& context, configured_binding place, life::run what) {
    const auto source = source_for(what.step, place.session());
    if (!source) {
        life::flow_ended none{what.work, failure::permanent(fault::internal, "no source for this step")};
        co_return none;
    }
    auto server = what.server;
    // whether a refresh was under way when a process died is to be known afterwards
    std::optional<refresh_mark> mark;
    if (what.step == recovery_step::refresh && what.held)
        mark = mark_of(context, place, what.held->generation);
    context.step("mark");
    if (mark) {
        auto begin = [&] { return context.store.began_refresh(*mark); };
        co_await context.vault.run(begin); // a vault that can't be written stops no renewal
    }
    context.step("token request");
    const auto session = place.session();
    const auto principal = place.whose.principal;
    const auto name = session ? place.provider : place.whose.upstream;
    auto end = co_await source(context, std::move(place), std::move(what));
    if (mark && !end.fresh) { // else it ends in the transaction that stores what came
        auto over = [&] { return context.store.ended_refresh(*mark); };
        co_await context.vault.run(over);
    }
    if (!end.fresh && end.fresh.error().retry_after) { // for every process, also after a restart
        const auto until = context.env.now() + *end.fresh.error().retry_after;
        auto later = [&] { return context.store.postpone(session, principal, name, until); };
        co_await context.vault.run(later);
    }
    end.server = std::move(server);
    co_return end;
}

task<life_event> carry_out(recovery_context& context, configured_binding place, life::store what) {
    context.step("store");
    const auto whose = place.whose;
    auto write = [&]() -> result<std::optional<life::stored_state>> {
        if (place.session())
            return context.store.store_session(whose.principal, session_of(what.value, place.provider),
                                               what.expected);
        return context.store.store_credential(whose.principal, whose.upstream, what.value, what.expected,
                                              what.pin);
    };
    auto done = co_await context.vault.run(write);
    life::stored end;
    end.work = what.work;
    if (!done) {
        end.is = life::store_result::failed;
        end.why = done.error();
    } else if (done->has_value()) {
        end.is = life::store_result::newer;
        end.found = std::move(**done);
    }
    co_return end;
}

namespace {

/// All that we registered for the upstream, unless another principal's credential, of whatever process, was
/// issued to it: the next login registers anew, also where the server has forgotten the client.
result<void> forget_clients(credential_store& store, const configured_binding& place) {
    const auto& upstream = place.whose.upstream;
    // of an open set of principals there are too many to look through, and somebody always uses them
    const auto& callers = place.settings().client_auth;
    if (std::any_of(callers.begin(), callers.end(), [](const auto& e) { return e.open(); }))
        return {};
    auto all = store.credentials();
    if (!all)
        return all.error();
    auto clients = store.registrations({}, upstream);
    if (!clients)
        return clients.error();
    for (const auto& client : *clients) {
        const bool in_use = std::any_of(all->begin(), all->end(), [&](const auto& other) {
            const auto& held = other.held;
            return other.upstream == upstream && held.issuer == client.issuer &&
                   (held.client_id.empty() || held.client_id == client.identity.id);
        });
        if (in_use)
            continue;
        auto gone = store.erase_registration(client.issuer, upstream, client.identity.id);
        if (!gone)
            return gone;
    }
    return {};
}

} // namespace

task<life_event> carry_out(recovery_context& context, configured_binding place, life::erase what) {
    const auto whose = place.whose;
    auto erase = [&]() -> result<std::uint64_t> {
        auto& store = context.store;
        if (what.whole) {
            auto pendings =
                store.discard_pendings(whose.principal, place.session() ? place.provider : whose.upstream);
            if (!pendings)
                return pendings.error();
        }
        if (place.session())
            return store.erase_session(whose.principal, place.provider, what.tombstone, what.only_until);
        if (what.issuer.empty()) {
            auto forgotten = what.whole ? forget_clients(store, place) : result<void>{};
            return forgotten ? result<std::uint64_t>(what.tombstone) : forgotten.error();
        }
        auto gone = store.erase_credential(whose.principal, whose.upstream, what.issuer, what.tombstone,
                                           what.only_until);
        if (!gone || !what.whole)
            return gone;
        auto unpinned = store.unpin_issuer(whose.principal, whose.upstream);
        if (!unpinned)
            return unpinned.error();
        auto forgotten = forget_clients(store, place);
        if (!forgotten)
            return forgotten.error();
        return gone;
    };
    auto done = co_await context.vault.run(erase);
    co_return life::erased{what.work, std::move(done)};
}

task<void> carry_out(recovery_context& context, configured_binding place, life::undo_store what) {
    const auto whose = place.whose;
    const auto unwanted = what.unwanted.generation;
    auto undo = [&]() -> result<void> {
        if (what.previous && what.previous->issuer == what.unwanted.issuer) {
            what.previous->generation = unwanted + 1;
            if (place.session()) {
                auto put = context.store.store_session(whose.principal,
                                                       session_of(*what.previous, place.provider), unwanted);
                return put ? result<void>{} : result<void>(put.error());
            }
            auto put =
                context.store.store_credential(whose.principal, whose.upstream, *what.previous, unwanted);
            return put ? result<void>{} : result<void>(put.error());
        }
        auto gone = place.session()
                        ? context.store.erase_session(whose.principal, place.provider, unwanted + 1, unwanted)
                        : context.store.erase_credential(whose.principal, whose.upstream,
                                                         what.unwanted.issuer, unwanted + 1, unwanted);
        if (!gone)
            return gone.error();
        if (place.session() || !what.previous)
            return {};
        return context.store.pin_issuer(whose.principal, whose.upstream, what.previous->issuer);
    };
    auto done = co_await context.vault.run(undo);
    if (!done)
        log_vault_trouble(done.error());
}

} // namespace reauth
