// Stopped in the reverse order of the start; a reload is checked whole before anything changes.
#include "proxy/service/runtime_parts.hpp"

#include "core/crypto/random.hpp"
#include "proxy/log/log.hpp"
#include "proxy/net/owned_descriptor.hpp"

#include <algorithm>
#include <array>
#include <latch>

#include <sys/socket.h>
#include <unistd.h>

namespace reauth {

server::server(config settings, server_role role) : parts_(std::make_unique<parts>()) {
    parts_->role = role;
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
    if (p.eras) {
        std::latch ended(1);
        asio::post(p.bridging, [&] {
            p.eras->stop();
            ended.count_down();
        });
        ended.wait();
    }
    // whoever is held is answered at once; what is under way upstream may come to its end
    p.on_control([&p] {
        p.recovery->stop();
        return 0;
    });
    for (auto& w : p.workers)
        w->post([&w = *w] { w.shut_down(false); });
    auto until = std::chrono::steady_clock::now() + grace;
    while (p.shared.connections.load() > 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (auto& w : p.workers)
        w->post([&w = *w] { w.shut_down(true); });
    for (auto& w : p.workers)
        w->join();
    p.keep_bridging.reset();
    p.bridging.stop();
    if (p.bridging_thread.joinable())
        p.bridging_thread.join();
    // a refresh under way has spent its token: what it brings home is stored yet
    const auto patience = std::chrono::steady_clock::now() + p.settings->limits.token_request;
    const auto still_busy = [&p] {
        p.recovery->pass_time(); // what could not be stored is tried again
        return !p.recovery->quiet();
    };
    while (p.on_control(still_busy) && std::chrono::steady_clock::now() < patience)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    p.on_control([&p] {
        if (p.page_watch)
            p.page_watch->cancel();
        p.page->stop();
        if (p.metrics)
            p.metrics->stop();
        return 0;
    });
    if (p.traces) { // what was seen last is told yet, if its collector answers
        p.on_control([&p] {
            p.traces->stop();
            return 0;
        });
        const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(1);
        while (p.on_control([&p] { return p.traces->waiting() > 0; }) &&
               std::chrono::steady_clock::now() < last)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (p.audit) { // what was said last is written yet
        p.on_control([&p] {
            p.recovery->audit().say("stop", {}, true);
            p.recovery->audit().use(nullptr, false);
            return 0;
        });
        p.audit.reset();
    }
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
    needs(fresh.audit.file != old.audit.file || fresh.audit.rotate != old.audit.rotate ||
              fresh.audit.keep != old.audit.keep || fresh.audit.journald != old.audit.journald ||
              fresh.audit.every != old.audit.every || fresh.audit.key.name != old.audit.key.name,
          "audit");
    needs(fresh.trace.otlp != old.trace.otlp, "trace");
    needs(fresh.metrics.has_value() != old.metrics.has_value(), "metrics");
    needs(fresh.egress.allow != old.egress.allow, "egress");
    fresh.approval.listen = old.approval.listen;
    if (fresh.approval.public_url.empty())
        fresh.approval.public_url = old.approval.public_url;
    auto settings = std::make_shared<const config>(std::move(fresh));
    return p.on_control([&]() -> result<std::string> {
        auto table = p.routes_for(settings);
        if (!table)
            return table.error();
        p.settings = settings;
        p.table = *table;
        p.run_bridges();
        p.recovery->use(p.table);
        p.recovery->audit().use(p.audit.get(), settings->audit.required);
        p.tell_configuration("configuration");
        if (p.audit)
            if (const auto taken = p.audit->take_key(); !taken)
                log_event(log_level::error, "audit", {{"message", taken.error().describe()}});
        for (auto& w : p.workers)
            w->post([&w = *w, t = p.table] { w.use(t); });
        return restart;
    });
}

void server::parts::run_bridges() {
    if ((role == server_role::bridged || eras) && !bridging_thread.joinable())
        bridging_thread = std::thread([this] { bridging.run(); });
}

result<int> server::parts::connect() {
    std::array<int, 2> ends{};
    if (!running || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
        return failure::passing(fault::shutting_down, "the proxy takes no connection");
    auto& w = *workers.front();
    w.post([&w, this, end = owned_descriptor(ends[0])]() mutable {
        w.adopt(channel(w.loop, end.release()), nullptr, within, "unix:" + std::to_string(::getpid()));
    });
    return ends[1];
}

result<int> server::connect() {
    return parts_->connect();
}

void server::expect_old_transport() {
    for (const auto& route : parts_->table->routes)
        parts_->shared.old_servers.learn(route->origin + route->base_path);
}

/// The table, with our own server for `era: bridge` where an upstream wants it.
result<std::shared_ptr<const routing_table>> server::parts::routes_for(std::shared_ptr<const config> wanted) {
    within.within = true;
    const auto& all = wanted->upstreams;
    const bool bridges =
        role == server_role::listening &&
        std::any_of(all.begin(), all.end(), [](const auto& u) { return u.era == era_mode::bridge; });
    if (bridges && !eras) {
        auto made = std::make_unique<era_host>(
            bridging.get_executor(), [this] { return connect(); }, secret(random_token(system_random())));
        const auto port = made->listen();
        if (!port)
            return port.error();
        eras_port = *port;
        eras = std::move(made);
    }
    std::optional<era_place> place;
    if (bridges)
        place = era_place{eras_port, std::string(era_host::key_field) + ": " +
                                         std::string(eras->key().reveal()) + "\r\n"};
    return make_routing_table(std::move(wanted), numbers, place);
}

void server::on_recovery_step(std::function<void(std::string_view)> hear) {
    parts_->on_control([&] {
        parts_->recovery->on_step(std::move(hear));
        return 0;
    });
}

executor server::bridging() const {
    return parts_->bridging.get_executor();
}

const config& server::settings() const {
    return *parts_->settings;
}

std::uint16_t server::listen_port() const {
    return parts_->port;
}

std::uint16_t server::approval_port() const {
    return parts_->page_port;
}

server_role server::role() const {
    return parts_->role;
}

std::uint16_t server::neighbour_port() const {
    return parts_->neighbour_port;
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

std::size_t server::open_approvals(bool looked_at) const {
    return parts_->on_control([&] {
        std::size_t n = 0;
        for (const auto& a : parts_->book->waiting())
            if (!looked_at || a->status == approval_status::authorizing ||
                parts_->book->attended(a->id, wall_clock::now()))
                ++n;
        return n;
    });
}

std::uint64_t server::counter(const std::string& name) const {
    return parts_->on_control([&]() -> std::uint64_t {
        for (const auto& m : parts_->measured())
            if (m.name == name)
                return static_cast<std::uint64_t>(m.value);
        return 0;
    });
}

} // namespace reauth
