// One thread of the data path: its loop, connections, pools, buffers and credentials. What workers
// share is relay_shared.
#pragma once

#include "proxy/net/event_loop.hpp"
#include "proxy/net/task.hpp"
#include "proxy/relay/caller_gate.hpp"
#include "proxy/relay/cancellation_index.hpp"
#include "proxy/relay/client_names.hpp"
#include "proxy/relay/cookie_jars.hpp"
#include "proxy/relay/old_transports.hpp"
#include "proxy/relay/request_watch.hpp"
#include "proxy/relay/upstream_pool.hpp"

#include "core/base/secret.hpp"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

namespace reauth {

class session;

/// Client connections by the address they come from; touched when one opens and closes. Loopback and Unix
/// sockets are not counted: there everybody is the same peer.
class peer_counts {
public:
    unsigned add(const std::string& peer);
    void remove(const std::string& peer);
    static bool counted(const std::string& peer) noexcept;

private:
    std::mutex mutex_;
    std::unordered_map<std::string, unsigned> counts_;
};

/// What all workers share: gauges, and memories of clients and servers. Touched when a body outgrows its
/// buffer, a session begins or a request is held, not for every request.
struct relay_shared {
    std::atomic<std::uint64_t> replay_bytes{0}; ///< recorded beyond the first buffer
    std::atomic<unsigned> waiters{0};           ///< requests held for a recovery
    std::atomic<unsigned> connections{0};       ///< client connections
    peer_counts peers;                          ///< … by address
    cancellation_index held;
    cookie_jars cookies; ///< of upstreams with `cookies: jar`
    client_names clients;
    old_transports old_servers;
    secret endpoint_key;              ///< old_stream_place::key
    request_tracer* tracer = nullptr; ///< null: no request is traced
};

/// Counters of one worker; written by its thread only, read by anybody (relaxed).
struct worker_counters {
    std::atomic<std::uint64_t> requests{0}, challenges{0}, replays{0}, failures{0}, waited{0}, resent{0},
        verified{0}, strangers{0};
};

/// How a request ended: what is told to worker::ended(), once for each.
struct request_report {
    const request_target& where;
    unsigned recoveries = 0;       ///< credentials that it was sent with, beyond the first
    std::optional<fault> failed{}; ///< the client got an error of ours; nothing: the upstream's answer
    std::string_view approval{};   ///< the last one that it waited for; empty: none
    steady_clock::time_point began{};
};

class worker {
public:
    worker(unsigned number, recovery_service& recovery, relay_shared& shared, executor dialing,
           const random_source& random);
    ~worker();

    event_loop loop;
    const executor dialing; ///< where upstream connections are made
    const unsigned number;
    recovery_service& recovery;
    relay_shared& shared;
    worker_counters counters;
    std::array<char, 64 * 1024> scratch; ///< valid until the next suspension only
    std::shared_ptr<const routing_table> table;
    bool stopping = false;
    bool watches = false; ///< requests are measured, or traced
    caller_gate callers;
    request_stats stats;                     ///< of requests that were watched
    std::atomic<unsigned> idle_upstreams{0}; ///< kept connections, as they were counted last

    worker_credential& credential(credential_number n) {
        if (n != latest_number_ || !latest_) {
            latest_ = &credentials_[n];
            latest_number_ = n;
        }
        return *latest_;
    }
    /// With what the policy says of this target, for that caller.
    worker_credential& credential(const request_target& where, const caller& who) {
        auto& mine = credential(where.credential());
        if (mine.judged_for != where.table->version || mine.judged_groups != who.groups_key) [[unlikely]]
            judge(mine, where, who);
        return mine;
    }
    /// Control has it: what is held, or nothing.
    void publish(credential_number n, snapshot_ptr snapshot);
    /// These principals (their numbers, sorted) are not kept in memory any more.
    void forget(const std::vector<std::uint32_t>& principals);
    /// An identity has ended: its streams are cut, its tokens refused. Returns the names of those principals
    /// that it turned out to be, sorted.
    std::vector<std::string> end(const identity_end& what);
    /// A request that was watched is over, or its answer's head is out.
    void watched(const request_target& where, request_watch& seen, std::optional<fault> failed,
                 unsigned recoveries, const std::string& recovery);
    /// Another configuration, for requests that begin from now on.
    void use(std::shared_ptr<const routing_table> fresh);
    std::size_t credential_count() const noexcept { return credentials_.size(); }
    /// The one place that each request passes at its end.
    void ended(const request_report& report) noexcept {
        if (report.failed)
            counters.failures.fetch_add(1, std::memory_order_relaxed);
    }
    /// Pools belong to an origin with its TLS settings; they outlive a reload.
    upstream_pool& pool(const route& r);
    /// Keeps a connection in its pool: upstream_pool::give.
    void keep(upstream_pool& in, channel connection, unsigned timeout_seconds);

    void start();
    /// Posts to the worker's thread.
    template<class F>
    void post(F&& f) {
        loop.post(std::forward<F>(f));
    }
    /// Takes a connected client over (worker's thread). Beyond limits.connections, or
    /// limits.connections_per_peer, the connection that has been idle longest gives way; where none is idle,
    /// this one is closed.
    void adopt(channel client, SSL_CTX* tls, const listener_identity& listener, std::string peer);
    /// Sessions end after their request; `force` cuts them.
    void shut_down(bool force);
    void join();

    void enter(session& s);
    void leave(session& s) noexcept;
    /// It is in use: others go idle before it.
    void touch(session& s) noexcept;
    std::size_t session_count() const noexcept { return session_count_; }

private:
    static void sweep(void* self);
    bool make_room(const std::string& peer);
    void link_first(session& s) noexcept;
    void unlink(session& s) noexcept;
    static void judge(worker_credential& mine, const request_target& where, const caller& who);
    std::unordered_map<credential_number, worker_credential> credentials_;
    worker_credential* latest_ = nullptr; ///< of credentials_: the one that was asked for last
    credential_number latest_number_ = 0;
    std::unordered_map<std::string, upstream_pool> pools_;
    session *first_ = nullptr, *last_ = nullptr; ///< the one used last is the first
    std::size_t session_count_ = 0;
    deadline sweeper_;
    bool sweeps_ = false; ///< some connection is kept
    std::thread thread_;
};

} // namespace reauth
