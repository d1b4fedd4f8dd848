// The thread's loop, and what is posted to it.
#include "proxy/relay/worker.hpp"

#include "policy/rules/decision.hpp"
#include "proxy/relay/session.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::chrono::seconds sweep_pause{1};

} // namespace

worker::worker(unsigned n, recovery_service& d, relay_shared& l, executor dials, const random_source& random)
    : dialing(dials), number(n), recovery(d), shared(l), callers(random),
      sweeper_(loop.deadlines, &worker::sweep, this) {}

worker::~worker() {
    join();
}

void worker::start() {
    thread_ = std::thread([this] { loop.run(); });
}

void worker::join() {
    if (thread_.joinable())
        thread_.join();
}

void worker::judge(worker_credential& mine, const request_target& where, const caller& who) {
    const auto& rules = where.settings().policy;
    const rule_place place{where.upstream().name, where.principal.name(), who.groups};
    mine.judged_for = where.table->version;
    mine.judged_groups = who.groups_key;
    mine.passes = passes_always(rules, place);
    mine.approves_calls = approves_calls(rules, place);
}

void worker::publish(credential_number n, snapshot_ptr snapshot) {
    auto& mine = credential(n);
    mine.current = std::move(snapshot);
    mine.loaded = true;
}

void worker::forget(const std::vector<std::uint32_t>& principals) {
    latest_ = nullptr;
    std::erase_if(credentials_, [&](const auto& one) {
        return std::binary_search(principals.begin(), principals.end(),
                                  static_cast<std::uint32_t>(one.first & 0xffffffff));
    });
    callers.forget(principals);
}

std::vector<std::string> worker::end(const identity_end& what) {
    auto found = callers.end(what);
    for (auto* s = first_; s;) {
        auto* following = s->next_;
        if (const auto* who = s->caller_in_progress(); who && what.covers(*who)) {
            found.push_back(who->principal.name());
            s->end_stream_of_caller();
        }
        s = following;
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

void worker::use(std::shared_ptr<const routing_table> fresh) {
    table = std::move(fresh);
    watches = table->settings->metrics.has_value() || (shared.tracer && table->settings->trace.sample >= 0);
}

void worker::watched(const request_target& where, request_watch& seen, std::optional<fault> failed,
                     unsigned recoveries, const std::string& recovery) {
    const bool relayed = seen.head_out != request_watch::clock::time_point();
    const auto whole = (relayed ? seen.head_out : request_watch::clock::now()) - seen.began;
    const auto outcome = failed ? outcomes_by_status + static_cast<std::size_t>(*failed)
                         : seen.status >= 100 && seen.status < 600 ? seen.status / 100
                                                                   : 0;
    if (where.settings().metrics) {
        auto& mine = stats.of(where.upstream().name);
        mine.outcomes[static_cast<std::size_t>(seen.kind)][outcome].fetch_add(1, std::memory_order_relaxed);
        mine.whole.add(whole);
        mine.upstreams.add(seen.upstreams);
        mine.ours.add(whole - seen.upstreams - seen.waited);
    }
    if (!seen.span || !shared.tracer)
        return;
    auto& span = *seen.span;
    span.ended = wall_clock::now();
    span.status = seen.status;
    span.recoveries = recoveries;
    span.recovery = recovery;
    span.failed = failed;
    shared.tracer->request(std::move(span));
}

upstream_pool& worker::pool(const route& r) {
    return pools_[r.pool_key];
}

void worker::keep(upstream_pool& in, channel connection, unsigned timeout_seconds) {
    in.give(std::move(connection), timeout_seconds, loop.now());
    if (!std::exchange(sweeps_, true)) [[unlikely]]
        sweeper_.set_after(sweep_pause);
}

void worker::sweep(void* self) {
    auto& w = *static_cast<worker*>(self);
    const auto now = w.loop.now();
    w.sweeps_ = false;
    std::size_t kept = 0;
    for (auto& [name, p] : w.pools_) {
        p.drop_expired(now);
        kept += p.size();
    }
    w.sweeps_ = kept > 0;
    w.idle_upstreams.store(static_cast<unsigned>(kept), std::memory_order_relaxed);
    if (w.sweeps_)
        w.sweeper_.set_after(sweep_pause);
}

bool peer_counts::counted(const std::string& peer) noexcept {
    return !peer.starts_with("127.") && peer != "::1" && !peer.starts_with("unix:");
}

unsigned peer_counts::add(const std::string& peer) {
    const std::lock_guard lock(mutex_);
    return ++counts_[peer];
}

void peer_counts::remove(const std::string& peer) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(peer);
    if (found != counts_.end() && --found->second == 0)
        counts_.erase(found);
}

/// Ends the connection that has been idle longest (empty `peer`: of anybody). False: none is idle.
bool worker::make_room(const std::string& peer) {
    for (auto* s = last_; s; s = s->previous_)
        if (!s->busy() && !s->stopping_ && !s->listener.within && (peer.empty() || s->peer() == peer)) {
            s->stop(true);
            return true;
        }
    return false;
}

void worker::adopt(channel client, SSL_CTX* tls, const listener_identity& listener, std::string peer) {
    if (stopping)
        return;
    const auto& settings = table->settings->limits;
    const bool full = shared.connections.load(std::memory_order_relaxed) >= settings.connections;
    if (full && !make_room({}))
        return;
    auto s = std::make_unique<session>(*this, std::move(client), tls, listener, std::move(peer));
    if (s->crowded_ > settings.connections_per_peer && !make_room(s->peer()))
        return;
    auto& ref = *s;
    loop.spawn(ref.run(std::move(s)));
}

void worker::link_first(session& s) noexcept {
    s.previous_ = nullptr;
    s.next_ = first_;
    (first_ ? first_->previous_ : last_) = &s;
    first_ = &s;
}

void worker::unlink(session& s) noexcept {
    (s.previous_ ? s.previous_->next_ : first_) = s.next_;
    (s.next_ ? s.next_->previous_ : last_) = s.previous_;
}

void worker::enter(session& s) {
    link_first(s);
    ++session_count_;
    shared.connections.fetch_add(1, std::memory_order_relaxed);
    if (peer_counts::counted(s.peer()))
        s.crowded_ = shared.peers.add(s.peer());
}

void worker::leave(session& s) noexcept {
    unlink(s);
    --session_count_;
    shared.connections.fetch_sub(1, std::memory_order_relaxed);
    if (peer_counts::counted(s.peer()))
        shared.peers.remove(s.peer());
}

void worker::touch(session& s) noexcept {
    if (first_ == &s)
        return;
    unlink(s);
    link_first(s);
}

void worker::shut_down(bool force) {
    stopping = true;
    for (auto* s = first_; s;) {
        auto* following = s->next_;
        s->stop(force);
        s = following;
    }
    if (force) {
        sweeper_.clear();
        pools_.clear();
        loop.finish();
    }
}

} // namespace reauth
