// Silent work from the lock to the store, as it is lived.
#include "policy/life/renewal.hpp"

#include "core/text/uri.hpp"
#include "policy/flows/refresh_flow.hpp"

namespace reauth {

/// Whoever reads what this life does reads it here.
renewal::course renewal::run() {
    auto& f = *flight_;
    outcome end;
    if (!desk_.whose().supplied) {
        if (!f.lock) {
            desk_.emit(life::lock{f.id});
            const auto won = co_await next<life::locked>;
            if (!won.won) {
                end.why = won.won.error();
                co_return end;
            }
            f.lock.id = won.work;
        }
        if (!f.lock.looked) { // else nobody was let in since: what the vault holds is known to be old
            f.phase = stage::looking;
            look(true);
            const auto seen = co_await next<life::looked>;
            if (const auto over = after_look(seen))
                co_return *over;
        }
    }
    for (;;) {
        if (!find_step()) {
            end.why = f.last;
            co_return end;
        }
        send_step();
        const auto done = co_await next<life::flow_ended>;
        if (done.fresh) {
            take_home(done);
            break;
        }
        const auto follows = after_refusal(done);
        if (follows == then::give_up) {
            end.why = f.last;
            co_return end;
        }
        if (follows == then::look_again) {
            // another holder may have won, whatever the lock said
            f.phase = stage::looking_again;
            look(false);
            const auto seen = co_await next<life::looked>;
            if (const auto over = after_look(seen))
                co_return *over;
        }
    }
    if (desk_.whose().supplied) {
        board_.take_into_force(*std::exchange(f.fresh, {}), true, step());
        report(life::happening_of(step()));
        co_return end;
    }
    if (unsaved_.under_way()) {
        f.phase = stage::waiting_to_store;
        co_await next<way_is_free>;
    }
    for (;;) {
        if (!send_store())
            co_return end;
        const auto done = co_await next<life::stored>;
        if (const auto over = after_store(done))
            co_return *over;
    }
}

void renewal::look(bool under_lock) {
    const auto* held = state_.held();
    const auto& issuer = under_lock ? servers_.issuer()
                         : held     ? held->issuer
                                    : state_.vault().pinned_issuer();
    desk_.emit(life::look{flight_->id, issuer, under_lock});
}

/// What another process stored meanwhile is used instead of asking again.
std::optional<renewal::outcome> renewal::after_look(const life::looked& e) {
    auto& f = *flight_;
    outcome end;
    if (!e.found) {
        end.why = f.phase == stage::looking ? e.found.error() : f.last;
        return end;
    }
    f.lock.looked = true;
    f.interrupted = f.interrupted || e.found->interrupted;
    if (state_.held() && state_.vault().foreign_tombstone(*e.found)) {
        state_.vault().seen(e.found->generation);
        end.signed_out = true;
        return end;
    }
    // the vault may have told of it while the lock was waited for
    const bool adopted = board_.adopt(*e.found) || (state_.held() && state_.generation() != f.began_with);
    const auto* held = state_.held();
    if (adopted && !held->expired_at(desk_.now()) &&
        held->requested.united_with(held->granted).covers(f.order.scopes)) {
        report(life::happening::another_process);
        return end;
    }
    if (e.found->not_before && desk_.now() < *e.found->not_before) {
        end.why = failure::passing(fault::authorization_server_unavailable,
                                   "the authorization server has asked to be left alone for a while");
        end.why->retry_after = std::chrono::ceil<std::chrono::seconds>(*e.found->not_before - desk_.now());
        return end;
    }
    if (f.phase == stage::looking_again && adopted && !held->refresh_token.empty() &&
        held->generation != f.replaces)
        f.at = 0; // another holder has won, with a token that can be refreshed
    return std::nullopt;
}

/// The next step that can be tried; false: none is left.
bool renewal::find_step() {
    auto& f = *flight_;
    while (f.at < f.order.steps.size() && step() == recovery_step::refresh && !state_.refreshable())
        ++f.at;
    return f.at < f.order.steps.size();
}

void renewal::send_step() {
    auto& f = *flight_;
    f.phase = stage::running;
    f.replaces = state_.generation();
    life::run work;
    work.work = f.id;
    work.step = step();
    work.scopes = f.order.scopes;
    if (const auto* held = state_.held()) {
        work.held = *held;
        if (work.step == recovery_step::refresh)
            state_.spent().sent(f.id, held->refresh_token);
    }
    work.server = servers_.known();
    work.challenged_dpop = servers_.schemes().dpop;
    work.challenged_bearer = servers_.schemes().bearer;
    work.approval = f.order.approval;
    desk_.emit(std::move(work));
}

renewal::then renewal::after_refusal(const life::flow_ended& e) {
    auto& f = *flight_;
    const bool refresh = step() == recovery_step::refresh;
    f.last = e.fresh.error();
    if (f.interrupted && refresh && ends_grant(f.last)) {
        state_.note_for_person(
            "The refresh token was probably rotated just as an mcp-reauth process was ended, "
            "and the new one was lost with it: sign in once.");
        f.last.message +=
            "; it was probably rotated just as an mcp-reauth process was ended, and the new one "
            "was lost with it";
        f.last.fix = "sign in once";
    }
    report(life::happening_of(step()), &f.last);
    if (refresh && wants_login(f.last))
        state_.want_login();
    if (f.last.transient)
        return then::give_up;
    ++f.at;
    if (!refresh)
        return then::next_step;
    // what was sent is what it concerns. invalid_grant ends it (RFC 6749 section 5.2); a refresh token of a
    // dead client is dead too: the login registers anew
    const bool still_held = state_.held() && state_.generation() == f.replaces;
    if (still_held && (e.client_unknown || ends_grant(f.last)))
        state_.end_refresh();
    else if (still_held)
        state_.pause_refresh(refresh_pause);
    return refuses_refresh(f.last) ? then::look_again : then::next_step;
}

void renewal::take_home(const life::flow_ended& e) {
    auto& f = *flight_;
    auto fresh = *e.fresh;
    fresh.origin = origin_of(desk_.whose().url);
    fresh.headers = desk_.whose().headers;
    fresh.generation = state_.next_generation();
    if (!desk_.whose().supplied)
        servers_.remember_with(fresh, e.server);
    f.fresh = std::move(fresh);
    f.client = e.client;
    // the first machine token pins its issuer too (trust was checked before it was asked for)
    f.pin = state_.vault().pinned_issuer().empty();
}

/// Durable before anyone uses it, and before the lock is given back.
bool renewal::send_store() {
    auto& f = *flight_;
    if (state_.generation() != f.replaces) {
        board_.give_up(*std::exchange(f.fresh, {}), {}, f.client);
        return false;
    }
    f.phase = stage::storing;
    f.fresh->generation = state_.next_generation();
    desk_.emit(life::store{f.id, *f.fresh, state_.vault().generation(), f.pin});
    return true;
}

/// Nothing: it is stored again, behind what is there.
std::optional<renewal::outcome> renewal::after_store(const life::stored& e) {
    auto& f = *flight_;
    const auto* held = state_.held();
    const bool ours = e.found.value && held && e.found.value->access_token == held->access_token;
    if (e.is == life::store_result::newer && (ours || !state_.overtakes(e.found))) {
        state_.vault().seen(e.found.generation); // our own, done after all
        return std::nullopt;
    }
    outcome end;
    auto fresh = *std::exchange(f.fresh, {});
    if (e.is == life::store_result::newer && state_.vault().foreign_tombstone(e.found)) {
        state_.vault().seen(e.found.generation);
        end.signed_out = true;
        end.unwanted = std::move(fresh);
        return end;
    }
    if (e.is == life::store_result::newer) {
        // somebody was faster: theirs is used, ours is given back
        board_.adopt(e.found);
        board_.give_up(std::move(fresh), {}, f.client);
        return end;
    }
    const bool saved = e.is == life::store_result::saved;
    if (f.pin)
        state_.vault().pin(fresh.issuer);
    if (saved) {
        state_.vault().seen(fresh.generation);
        board_.forget_unsaved();
    } else {
        board_.keep_unsaved(e.why, f.lock, f.pin);
    }
    board_.take_into_force(std::move(fresh), saved, step());
    report(life::happening_of(step()));
    return end;
}

} // namespace reauth
