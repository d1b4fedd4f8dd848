#include "proxy/runtime.hpp"

#include "proxy/approval/approval_listener.hpp"
#include "proxy/approval/operator_token.hpp"
#include "proxy/log.hpp"
#include "proxy/metrics.hpp"
#include "proxy/net/tls.hpp"
#include "proxy/recovery/fetcher_http.hpp"
#include "proxy/recovery/manager.hpp"
#include "proxy/relay/listener.hpp"
#include "proxy/vault/open.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <csignal>
#include <future>
#include <latch>
#include <thread>

namespace reauth {
namespace {

/// A port for a public_url that must be known before its listener is bound. It stays bound here (without
/// listening, so that the listener may bind it too) until then: released, it could be given to somebody else.
class reserved_port {
public:
    std::uint16_t take(const std::string& host) {
        error_code ec;
        auto ip = asio::ip::make_address(host, ec);
        asio::ip::tcp::endpoint where(ec ? asio::ip::make_address("127.0.0.1") : ip, 0);
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

} // namespace

struct server::parts {
    std::shared_ptr<const config> settings;
    secret token;
    std::unique_ptr<vault> records;
    std::unique_ptr<credential_store> store;
    std::shared_ptr<asio::ssl::context> tls, approval_tls;

    asio::io_context control{1};
    asio::executor_work_guard<executor> keep_control{control.get_executor()};
    std::unique_ptr<http_fetcher> network;
    std::unique_ptr<approvals> book;
    std::unique_ptr<credential_manager> recovery;
    std::unique_ptr<approval_listener> page;
    std::unique_ptr<metrics_listener> metrics;

    credential_numbers numbers;
    shared_limits limits;
    std::vector<std::unique_ptr<worker>> workers;
    std::vector<std::unique_ptr<listener>> listeners;
    std::shared_ptr<const routing_table> table;
    std::thread control_thread;
    reserved_port page_reservation;
    std::uint16_t port = 0, page_port = 0, metrics_port = 0;
    bool running = false;

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

server::server(config settings) : parts_(std::make_unique<parts>()) {
    auto& a = settings.approval;
    if (a.public_url.empty()) {
        if (a.listen.port == 0)
            a.listen.port = parts_->page_reservation.take(a.listen.host);
        a.public_url = (a.tls ? "https://" : "http://") + a.listen.to_string();
    }
    parts_->settings = std::make_shared<const config>(std::move(settings));
}

server::~server() {
    stop();
}

result<void> server::start() {
    auto& p = *parts_;
    const auto& settings = *p.settings;
    std::signal(SIGPIPE, SIG_IGN);
    auto random = system_random();

    auto token = load_operator_token(settings.approval, settings.state_directory, random, true);
    if (!token)
        return token.error();
    p.token = std::move(*token);
    auto records = open_vault(settings.vault);
    if (!records)
        return records.error();
    p.records = std::move(*records);
    p.store = std::make_unique<credential_store>(*p.records);
    auto rules = egress_rules::parse(settings.egress.allow);
    if (!rules)
        return rules.error();
    p.network = std::make_unique<http_fetcher>(p.control.get_executor(), std::move(*rules));
    if (settings.tls) {
        auto made = make_server_tls(*settings.tls);
        if (!made)
            return made.error();
        p.tls = *made;
    }
    if (settings.approval.tls) {
        auto made = make_server_tls(*settings.approval.tls);
        if (!made)
            return made.error();
        p.approval_tls = *made;
    }

    p.book = std::make_unique<approvals>(settings.approval.public_url);
    flow_environment env{[] { return wall_clock::now(); }, random};
    auto publish = [&p](std::size_t number, snapshot_ptr snapshot) {
        for (auto& w : p.workers)
            w->post([&w = *w, number, snapshot] { w.credential(number).current = snapshot; });
    };
    p.recovery = std::make_unique<credential_manager>(p.control, *p.network, *p.store, *p.book, env, publish);
    auto count = settings.workers ? settings.workers : std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < count; ++i)
        p.workers.push_back(std::make_unique<worker>(i, *p.recovery, p.limits));

    auto table = make_routing_table(p.settings, p.numbers);
    if (!table)
        return table.error();
    p.table = *table;
    auto loaded = p.recovery->start(p.table);
    if (!loaded)
        return loaded.error();
    std::vector<worker*> all;
    for (auto& w : p.workers) {
        w->table = p.table;
        all.push_back(w.get());
    }

    approval_services services{*p.book,
                               *p.recovery,
                               [&p] { return p.recovery->summaries(); },
                               [] { return wall_clock::now(); },
                               random,
                               [&p] { return p.recovery->idp_sessions(); }};
    p.page = std::make_unique<approval_listener>(p.control.get_executor(), settings.approval, p.token,
                                                 std::move(services), p.approval_tls);
    auto bound = p.page->listen();
    if (!bound)
        return bound.error();
    p.page_port = *bound;
    p.page_reservation.release();

    auto open = [&](const endpoint_config& where, bool dedicated) -> result<std::uint16_t> {
        listener_identity identity;
        identity.address = where.to_string();
        identity.dedicated = dedicated;
        identity.loopback = where.loopback();
        auto& made = p.listeners.emplace_back(std::make_unique<listener>(
            p.workers[0]->context, all, std::move(identity), p.tls, settings.limits.connections));
        return made->open(where);
    };
    bound = open(settings.listen, false);
    if (!bound)
        return bound.error();
    p.port = *bound;
    for (const auto& u : settings.upstreams)
        if (u.listen) {
            bound = open(*u.listen, true);
            if (!bound)
                return bound.error();
        }
    if (settings.metrics) {
        p.metrics = std::make_unique<metrics_listener>(
            p.control.get_executor(),
            [&p] { return collect_metrics(*p.recovery, *p.book, p.workers, p.limits); },
            [&p] {
                std::string names;
                for (const auto& name : p.recovery->unsaved())
                    names += (names.empty() ? "" : ", ") + name;
                return names.empty() ? names
                                     : "the vault can't store the credential of " + names +
                                           ": it is used from memory, and lost if this process ends now";
            });
        bound = p.metrics->listen(*settings.metrics);
        if (!bound)
            return bound.error();
        p.metrics_port = *bound;
    }

    p.running = true;
    p.control_thread = std::thread([&p] { p.control.run(); });
    for (auto& w : p.workers)
        w->start();
    return {};
}

void server::stop(std::chrono::milliseconds grace) {
    auto& p = *parts_;
    if (!p.running) {
        // a start that failed half-way: nothing runs, members go in order
        p.listeners.clear();
        return;
    }
    p.running = false;
    auto& first = *p.workers[0];
    std::latch closed(1);
    first.post([&] {
        for (auto& l : p.listeners)
            l->close();
        closed.count_down();
    });
    closed.wait();
    for (auto& w : p.workers)
        w->post([&w = *w] { w.shut_down(false); });
    auto until = std::chrono::steady_clock::now() + grace;
    while (p.limits.connections.load() > 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (auto& w : p.workers)
        w->post([&w = *w] { w.shut_down(true); });
    for (auto& w : p.workers)
        w->join();
    p.on_control([&p] {
        p.recovery->stop();
        p.page->stop();
        if (p.metrics)
            p.metrics->stop();
        return 0;
    });
    p.keep_control.reset();
    p.control.stop();
    p.control_thread.join();
}

result<std::string> server::reload(config fresh) {
    auto& p = *parts_;
    const auto& old = *p.settings;
    std::string restart;
    auto needs = [&](bool changed, const char* key) {
        if (changed)
            restart += (restart.empty() ? "" : ", ") + std::string(key);
    };
    needs(fresh.listen.to_string() != old.listen.to_string(), "listen");
    needs(fresh.workers != old.workers, "workers");
    needs(fresh.approval.listen.to_string() != old.approval.listen.to_string(), "approval.listen");
    needs(fresh.vault.path != old.vault.path || fresh.vault.backend != old.vault.backend, "vault");
    needs(fresh.metrics.has_value() != old.metrics.has_value(), "metrics");
    needs(fresh.egress.allow != old.egress.allow, "egress");
    fresh.approval.listen = old.approval.listen;
    if (fresh.approval.public_url.empty())
        fresh.approval.public_url = old.approval.public_url;
    auto settings = std::make_shared<const config>(std::move(fresh));
    return p.on_control([&]() -> result<std::string> {
        auto table = make_routing_table(settings, p.numbers);
        if (!table)
            return table.error();
        p.settings = settings;
        p.table = *table;
        p.recovery->use(p.table);
        for (auto& w : p.workers)
            w->post([&w = *w, t = p.table] { w.table = t; });
        return restart;
    });
}

std::uint16_t server::listen_port() const {
    return parts_->port;
}

std::uint16_t server::approval_port() const {
    return parts_->page_port;
}

std::uint16_t server::metrics_port() const {
    return parts_->metrics_port;
}

std::string server::operator_token() const {
    return std::string(parts_->token.reveal());
}

std::string server::dashboard_link() {
    return parts_->on_control([this] { return parts_->page->one_time_link(); });
}

std::uint64_t server::counter(const std::string& name) const {
    return parts_->on_control([&]() -> std::uint64_t {
        for (const auto& m :
             collect_metrics(*parts_->recovery, *parts_->book, parts_->workers, parts_->limits))
            if (m.name == name)
                return static_cast<std::uint64_t>(m.value);
        return 0;
    });
}

} // namespace reauth
