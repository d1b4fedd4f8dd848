// Phase 3 and the order of the phases.
#include "proxy/relay/exchange.hpp"

#include "core/dpop.hpp"
#include "core/http_field.hpp"
#include "core/random.hpp"
#include "proxy/net/channel_io.hpp"
#include "proxy/relay/local_answer.hpp"

namespace reauth {

exchange::exchange(session& s, std::shared_ptr<const routing_table> table, route_match match,
                   std::size_t principal)
    : s_(s), w_(s.home), where_{std::move(table), match.to, principal}, rest_(match.rest),
      query_(match.query), began_(steady_clock::now()), upload_scanner_(s.memory->head),
      deadline_(s.home.deadlines, &exchange::on_deadline, this),
      wake_(s.home.deadlines, &exchange::on_wake, this) {
    const auto& head = s.memory->head;
    is_head_ = head.method == "HEAD";
    is_get_ = head.method == "GET";
    client_keeps_ = head.keep_alive && head.minor_version == 1;
    old_client_ = head.minor_version == 0;
    pass_ = where_.to->passes[where_.principal];
    consumed_ = head.size;
    auto& target = s.memory->target;
    target.clear();
    append_upstream_target(*where_.to, match, target);
}

exchange::~exchange() {
    drop_record();
}

void exchange::on_deadline(void* self) {
    auto& x = *static_cast<exchange*>(self);
    x.up_timed_out_ = true;
    if (x.filling_)
        x.s_.client.interrupt();
    x.interrupt();
}

void exchange::on_wake(void* self) {
    static_cast<exchange*>(self)->s_.waker.notify();
}

void exchange::interrupt() {
    up_.interrupt();
    if (connecting_)
        connecting_->interrupt();
}

void exchange::note_renewal(const credential_snapshot& held) {
    auto& mine = w_.credential(where_.credential());
    if (mine.renewal_asked_for == held.generation())
        return;
    mine.renewal_asked_for = held.generation();
    w_.recovery.renew_ahead(where_, held.generation());
}

/// Takes the credential to send. False: the request has been answered.
task<bool> exchange::attach() {
    for (;;) {
        auto& mine = w_.credential(where_.credential());
        credential_ = pass_ ? nullptr : mine.current;
        if (first_generation_ == 0 && credential_)
            first_generation_ = credential_->generation();
        if (!credential_)
            co_return true;
        auto now = began_ + std::chrono::milliseconds(0);
        if (attempts_ > 0 || credential_->renew_at != steady_clock::time_point::max())
            now = steady_clock::now();
        if (now < credential_->renew_at)
            co_return true;
        if (!credential_->renewable)
            co_return true;
        if (now < credential_->expires_at || pre_recovered_ == credential_->generation()) {
            note_renewal(*credential_);
            co_return true;
        }
        // expired for sure: no need to hear it from the upstream
        pre_recovered_ = credential_->generation();
        auto ask = make_ask();
        ask.what.notice_only = true;
        ask.what.challenge = {};
        ask.what.challenge.kind = challenge_kind::token_expired;
        auto held = std::make_shared<held_request>(w_.context.get_executor(), s_.waker, std::move(ask));
        auto go_on = co_await wait_for_verdict(held);
        if (!go_on)
            co_return false;
    }
}

/// The lines that carry the credential; valid until the next call.
std::string_view exchange::credential_lines() {
    if (!credential_)
        return {};
    if (!credential_->dpop())
        return credential_->header_line.reveal();
    dpop_target target;
    target.method = std::string(s_.memory->head.method);
    target.url = where_.to->origin + s_.memory->target;
    target.nonce = w_.credential(where_.credential()).dpop_nonce;
    target.access_token = credential_->held.access_token;
    auto proof = dpop_proof(credential_->held.dpop_key, target, wall_clock::now(), system_random());
    dpop_lines_.assign(credential_->header_line.reveal());
    if (proof)
        dpop_lines_.append("DPoP: ").append(*proof).append("\r\n");
    return dpop_lines_;
}

task<bool> exchange::run() {
    auto filled = co_await fill_body();
    if (!filled) {
        s_.client.reset();
        s_.gone = true;
        co_return false;
    }
    if (where_.to->approves_calls[where_.principal]) {
        const bool approved = co_await pass_gate();
        if (!approved)
            co_return client_keeps_ && !s_.gone;
    }
    for (;;) {
        bool going_on = co_await attach();
        if (!going_on)
            co_return client_keeps_ && !s_.gone;
        auto what = co_await attempt();
        deadline_.clear();
        switch (what) {
        case outcome::relayed:
            if (s_.memory && body_read_)
                s_.memory->in.consume(consumed_);
            co_return client_keeps_&& body_read_;
        case outcome::client_gone:
        case outcome::cut:
            finish_upstream(false);
            s_.client.reset();
            s_.gone = true;
            co_return false;
        case outcome::redirected:
        case outcome::nonce:
            break;
        case outcome::broken:
            finish_upstream(false);
            going_on = co_await fail(why_);
            co_return going_on;
        case outcome::challenged:
            going_on = co_await recover();
            if (!going_on)
                co_return client_keeps_ && !s_.gone;
            break;
        }
    }
}

} // namespace reauth
