// What a running program consists of. Private to server's own files.
#pragma once

#include "proxy/service/runtime.hpp"

#include "proxy/approval/approval_listener.hpp"
#include "proxy/approval/notifier.hpp"
#include "proxy/bridge/era_host.hpp"
#include "proxy/evidence/trace_exporter.hpp"
#include "proxy/net/tls.hpp"
#include "proxy/recovery/fetcher_http.hpp"
#include "proxy/recovery/manager.hpp"
#include "proxy/relay/listener.hpp"
#include "proxy/service/metrics.hpp"
#include "proxy/vault/open.hpp"
#include "proxy/vault/vault_lock.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <future>
#include <thread>

namespace reauth {

/// A port for a public_url that must be known before its listener is bound. It stays bound here (without
/// listening, so that the listener may bind it too) until then: released, it could be given to somebody else.
class reserved_port {
public:
    std::uint16_t take(const std::string& host) {
        error_code ec;
        auto ip = asio::ip::make_address(host, ec);
        const asio::ip::tcp::endpoint where(ec ? asio::ip::make_address("127.0.0.1") : ip, 0);
        holder_.open(where.protocol(), ec);
        holder_.set_option(asio::socket_base::reuse_address(true), ec);
        holder_.bind(where, ec);
        return holder_.local_endpoint(ec).port();
    }
    void release() {
        error_code ignored;
        holder_.close(ignored);
    }

private:
    asio::io_context context_;
    asio::ip::tcp::acceptor holder_{context_};
};

struct server::parts {
    server_role role = server_role::listening;
    const time_point started = wall_clock::now();
    std::shared_ptr<const config> settings;
    secret token;
    std::unique_ptr<vault> records;
    std::unique_ptr<credential_store> store;
    std::shared_ptr<asio::ssl::context> tls, approval_tls;

    asio::io_context control{1};
    asio::executor_work_guard<executor> keep_control{control.get_executor()};
    asio::io_context bridging{1}; ///< runs where there is a bridge
    asio::executor_work_guard<executor> keep_bridging{bridging.get_executor()};
    std::unique_ptr<http_fetcher> network;
    std::unique_ptr<audit_log> audit;       ///< null: none is written
    std::shared_ptr<trace_exporter> traces; ///< null: none are sent
    std::unique_ptr<request_tracer> tracer; ///< what workers tell of requests, for `traces`
    std::unique_ptr<approvals> book;
    std::unique_ptr<notifier> caller;
    std::unique_ptr<credential_manager> recovery;
    std::unique_ptr<approval_listener> page;
    std::unique_ptr<metrics_listener> metrics;

    credential_numbers numbers;
    relay_shared shared;
    std::vector<std::unique_ptr<worker>> workers;
    std::vector<std::unique_ptr<listener>> listeners;
    listener_identity within; ///< of connections from this very process
    std::unique_ptr<era_host> eras;
    std::uint16_t eras_port = 0;
    std::shared_ptr<const routing_table> table;
    std::thread control_thread, bridging_thread;
    reserved_port page_reservation;
    std::string notes;                     ///< the directory of the notes of processes that live
    bool shares_page = false;              ///< another process has the approval address
    std::unique_ptr<vault_lock> page_lock; ///< held: the approval address is this process's
    std::unique_ptr<loop_timer> page_watch;
    std::uint16_t port = 0, page_port = 0, neighbour_port = 0, metrics_port = 0;
    std::atomic<bool> running{false}; ///< read by connect(), on the bridges' thread

    // the steps of a start, in their order
    result<void> open_state(const random_source& random);
    result<void> make_workers(const random_source& random);
    void open_traces(const random_source& random);
    result<void> open_audit(const random_source& random);
    void tell_configuration(const char* event);
    void claim_page();
    result<void> open_page(const random_source& random);
    void watch_page();
    void take_page_over();
    std::vector<std::uint16_t> neighbours() const;
    result<std::shared_ptr<const routing_table>> routes_for(std::shared_ptr<const config> wanted);
    /// Where there are bridges, and it does not run yet.
    void run_bridges();
    result<int> connect();
    result<void> open_listeners();
    result<std::uint16_t> open_listener(const endpoint_config& where, bool dedicated);
    result<void> open_metrics();
    std::vector<metric> measured();
    std::string not_ready();

    /// Runs f on the control thread and waits for it.
    template<class F>
    auto on_control(F f) {
        std::packaged_task<std::invoke_result_t<F&>()> work(std::move(f));
        auto done = work.get_future();
        // wrapped: Asio takes a bare packaged_task for a completion token and asks it for its future again
        asio::post(control, [w = std::move(work)]() mutable { w(); });
        return done.get();
    }
};

} // namespace reauth
