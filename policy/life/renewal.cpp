// Ordered, begun, given the ends of its work, ended or abandoned.
#include "policy/life/renewal.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::chrono::seconds longest_step_pause{30};

} // namespace

void renewal::report(life::happening how, const failure* why) {
    life::audit line;
    line.how = how;
    line.rule = flight_->order.rule;
    line.client = flight_->order.asker;
    if (why)
        line.why = *why;
    state_.report(std::move(line));
}

life::work_id renewal::order(life::flight_order wanted) {
    flight f;
    f.id = desk_.number();
    f.order = std::move(wanted);
    f.began_with = state_.generation();
    f.last = failure::permanent(fault::reauth_failed, "nothing could be tried");
    flight_ = std::move(f);
    return flight_->id;
}

void renewal::launch(life::held_lock kept) {
    flight_->lock = kept;
    flight_->running.emplace(run());
    flight_->running->start();
    finish();
}

/// Its owner is told only when the routine has come to rest: what it is told may abandon the flight.
void renewal::finish() {
    if (!flight_ || !flight_->running || !flight_->running->done())
        return;
    auto end = flight_->running->take();
    if (end.signed_out) { // which abandons this flight with all else
        const auto client = flight_->client;
        board_.signed_out_elsewhere();
        if (end.unwanted)
            board_.give_up(std::move(*end.unwanted), {}, client);
        return;
    }
    const auto f = std::move(*flight_);
    flight_.reset();
    board_.give_back(f.lock);
    if (!end.why)
        trouble_ = {};
    else if (end.why->transient)
        note_trouble(*end.why);
    if (end.why && end.why->transient && trouble_.asked_to_wait)
        end.why = trouble_.told_at(desk_.now());
    board_.flight_ended({f.id, f.order.scopes, f.order.approval, std::move(end.why)});
}

void renewal::note_trouble(const failure& why) {
    trouble_.last = why;
    trouble_.asked_to_wait = why.retry_after.has_value();
    if (++trouble_.in_a_row > 1)
        trouble_.retry_at =
            desk_.now() +
            std::min(std::chrono::seconds(1u << std::min(trouble_.in_a_row - 2, 5u)), longest_step_pause);
    if (why.retry_after)
        trouble_.retry_at = std::max(trouble_.retry_at, desk_.now() + *why.retry_after);
}

bool renewal::spends_refresh_token() const noexcept {
    if (!flight_)
        return false;
    const auto& f = *flight_;
    const bool sent =
        f.phase == stage::running || f.phase == stage::waiting_to_store || f.phase == stage::storing;
    return sent && f.at < f.order.steps.size() && step() == recovery_step::refresh;
}

/// What it brings home later is undone, since its number is forgotten.
life::work_id renewal::abandon(bool held_stays) {
    if (!flight_)
        return 0;
    const bool spent = spends_refresh_token();
    const auto f = std::move(*flight_);
    flight_.reset();
    board_.give_back(f.lock);
    if (spent && state_.held() && held_stays) {
        state_.end_refresh();
        state_.publish();
    }
    if (f.fresh) {
        board_.give_up(*f.fresh, {}, f.client);
        if (f.phase == stage::storing)
            board_.void_store(f.id, *f.fresh, spent);
    }
    return f.id;
}

void renewal::renumbered(std::uint64_t before, std::uint64_t now) noexcept {
    if (flight_ && flight_->replaces == before)
        flight_->replaces = now;
}

template<class E>
bool renewal::give(const E& e) {
    const bool waited_for = flight_ && flight_->running && flight_->running->waits_for<E>();
    if (!waited_for)
        return false;
    flight_->running->give(e);
    finish();
    return true;
}

void renewal::may_store() {
    give(way_is_free());
}

bool renewal::on(const life::locked& e) {
    return flight_ && flight_->id == e.work && give(e);
}

bool renewal::on(const life::looked& e) {
    if (!flight_ || flight_->id != e.work)
        return false;
    give(e); // else it is told twice
    return true;
}

bool renewal::on(const life::flow_ended& e) {
    return flight_ && flight_->id == e.work && give(e);
}

bool renewal::on(const life::stored& e) {
    return flight_ && flight_->id == e.work && give(e);
}

} // namespace reauth
