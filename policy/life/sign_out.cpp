// Revoked, buried, answered.
#include "policy/life/sign_out.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::chrono::seconds first_burial_pause{1}, longest_burial_pause{30};

} // namespace

void sign_outs::revoke(life::caller_id caller, std::string issuer, const life::server_ptr& server) {
    entry s;
    s.caller = caller;
    s.issuer = std::move(issuer);
    s.revoke = desk_.number();
    works_.insert(s.revoke);
    const auto* held = state_.held();
    desk_.emit(life::revoke{s.revoke, held ? *held : credential(), server, {}, true});
    begun_ = std::move(s);
}

void sign_outs::bury(life::held_lock lock) {
    auto s = *std::exchange(begun_, {});
    s.lock = lock;
    s.tombstone = state_.vault().bury();
    send_tombstone(s, s.caller != 0);
    all_.push_back(std::move(s));
}

void sign_outs::bury_spent(std::string issuer, std::uint64_t until, life::held_lock lock) {
    entry s;
    s.issuer = std::move(issuer);
    s.only_until = until;
    s.tombstone = until + 1;
    s.lock = lock;
    send_tombstone(s, false);
    all_.push_back(std::move(s));
}

void sign_outs::erase_dead(std::string issuer, std::uint64_t generation) {
    const auto work = desk_.number();
    works_.insert(work);
    desk_.emit(life::erase{work, std::move(issuer), state_.vault().bury(), false, generation});
}

void sign_outs::send_tombstone(entry& s, bool whole) {
    s.erase = desk_.number();
    works_.insert(s.erase);
    desk_.emit(life::erase{s.erase, s.issuer, s.tombstone, whole, s.only_until});
}

bool sign_outs::unheard(std::uint64_t generation) const {
    return std::any_of(all_.begin(), all_.end(), [&](const entry& s) {
        const bool covers = s.only_until ? generation <= s.only_until : !(state_.held() && state_.saved());
        return covers && (s.erase || s.erase_again);
    });
}

life::held_lock sign_outs::lend_lock() noexcept {
    for (auto& s : all_)
        if (s.lock)
            return std::exchange(s.lock, {});
    return {};
}

void sign_outs::not_erased(entry& s, failure why) {
    const auto pause = std::min<std::chrono::seconds>(first_burial_pause * (1 << std::min(s.tries, 10u)),
                                                      longest_burial_pause);
    ++s.tries;
    s.erase_again = desk_.now() + pause;
    if (s.trouble && s.trouble->code != fault::vault_unavailable)
        return;
    why.message = "signed out here, but the vault does not know it yet (it is tried again): " + why.message;
    s.trouble = std::move(why);
}

void sign_outs::on(const life::erased& e) {
    works_.erase(e.work);
    if (e.done)
        state_.vault().seen(*e.done);
    for (auto& s : all_) {
        if (s.erase != e.work)
            continue;
        s.erase = 0;
        if (!e.done) {
            not_erased(s, e.done.error());
            continue;
        }
        if (!s.only_until) // also what others had stored before it
            state_.vault().signed_out(*e.done);
        if (s.lock)
            desk_.later(life::unlock{std::exchange(s.lock, {}).id});
    }
    answer();
}

void sign_outs::on(const life::revoked& e) {
    works_.erase(e.work);
    if (e.work == 0)
        return;
    for (auto& s : all_)
        if (s.revoke == e.work) {
            s.revoke = 0;
            if (!s.trouble)
                s.trouble = e.done.trouble;
            s.said = e.done;
        }
    answer();
}

/// Until the vault knows. A new login replaces what is there by itself; a tombstone that came behind it would
/// bury it, and what another process has made of it since.
void sign_outs::time_passed(bool storing) {
    if (storing)
        return;
    for (auto s = all_.begin(); s != all_.end();) {
        const bool due = s->erase_again && *s->erase_again <= desk_.now();
        // a login that could not be stored yet will replace what is there
        const bool overtaken = state_.held() && !s->only_until;
        if (!due || (overtaken && !state_.saved())) {
            ++s;
        } else if (overtaken) {
            if (s->lock)
                desk_.later(life::unlock{s->lock.id});
            s = all_.erase(s);
        } else {
            s->erase_again.reset();
            send_tombstone(*s, false);
            ++s;
        }
    }
}

void sign_outs::answer() {
    for (auto s = all_.begin(); s != all_.end();) {
        if (s->erase || s->revoke) {
            ++s;
            continue;
        }
        if (s->caller) {
            life::audit line;
            line.how = life::happening::logout;
            line.why = s->trouble;
            state_.report(std::move(line));
            desk_.emit(life::answer_sign_out{s->caller, s->trouble ? result<revocation_report>(*s->trouble)
                                                                   : result<revocation_report>(s->said)});
            s->caller = 0;
        }
        s = s->erase_again ? std::next(s) : all_.erase(s);
    }
}

} // namespace reauth
