// What is collected from whom, as Prometheus text, and the small listener.
#include "proxy/service/metrics.hpp"

#include "proxy/relay/admission.hpp"

#include <sstream>

namespace reauth {

std::vector<metric> collect_metrics(const credential_manager& recovery, const approvals& book,
                                    const std::vector<std::unique_ptr<worker>>& workers,
                                    const relay_shared& limits) {
    std::uint64_t requests = 0, challenges = 0, replays = 0, failures = 0, waited = 0, resent = 0;
    for (const auto& w : workers) {
        requests += w->counters.requests.load(std::memory_order_relaxed);
        challenges += w->counters.challenges.load(std::memory_order_relaxed);
        replays += w->counters.replays.load(std::memory_order_relaxed);
        failures += w->counters.failures.load(std::memory_order_relaxed);
        waited += w->counters.waited.load(std::memory_order_relaxed);
        resent += w->counters.resent.load(std::memory_order_relaxed);
    }
    const auto& c = recovery.counters();
    auto n = [](auto v) { return static_cast<double>(v); };
    return {
        {"mcp_reauth_requests_total", "Client requests", n(requests)},
        {"mcp_reauth_challenges_total", "Upstream answers that asked for another credential", n(challenges)},
        {"mcp_reauth_waited_total", "Requests that waited for a recovery", n(waited)},
        {"mcp_reauth_replays_total", "Requests sent again with a new credential", n(replays)},
        {"mcp_reauth_resent_total", "Safe requests sent again because a kept connection broke", n(resent)},
        {"mcp_reauth_failures_total", "Requests answered with an error of ours", n(failures)},
        {"mcp_reauth_refreshes_total", "Refresh token grants", n(c.refreshes)},
        {"mcp_reauth_refresh_failures_total", "Refresh token grants that failed", n(c.refresh_failures)},
        {"mcp_reauth_machine_tokens_total", "client_credentials and jwt_bearer grants", n(c.machine_tokens)},
        {"mcp_reauth_mints_total", "Enterprise re-mints", n(c.mints)},
        {"mcp_reauth_logins_total", "Logins completed", n(c.logins)},
        {"mcp_reauth_step_ups_total", "Step-ups completed", n(c.step_ups)},
        {"mcp_reauth_approvals_total", "Approvals opened", n(c.approvals)},
        {"mcp_reauth_denials_total", "Approvals denied", n(c.denials)},
        {"mcp_reauth_joined_total", "Requests that joined a recovery in flight", n(c.joined)},
        {"mcp_reauth_unsaved_credentials", "Credentials used from memory because the vault can't store them",
         n(recovery.unsaved().size()), true},
        {"mcp_reauth_waiting_requests", "Requests held now", n(limits.waiters.load()), true},
        {"mcp_reauth_connections", "Client connections now", n(limits.connections.load()), true},
        {"mcp_reauth_replay_bytes", "Bytes recorded for replay now", n(limits.replay_bytes.load()), true},
        {"mcp_reauth_waiting_approvals", "Approvals that wait for a person", n(book.waiting().size()), true},
    };
}

std::string metrics_text(const std::vector<metric>& all) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(17);
    for (const auto& m : all)
        out << "# HELP " << m.name << ' ' << m.help << "\n# TYPE " << m.name
            << (m.gauge ? " gauge\n" : " counter\n") << m.name << ' ' << m.value << '\n';
    return out.str();
}

metrics_listener::metrics_listener(executor ex, std::function<std::vector<metric>()> collect,
                                   std::function<std::string()> trouble)
    : collect_(std::move(collect)), trouble_(std::move(trouble)),
      service_(ex, [this](service_exchange& x) { return answer(x); }) {}

result<std::uint16_t> metrics_listener::listen(const endpoint_config& where,
                                               std::vector<std::string> allowed_hosts) {
    allowed_hosts_ = std::move(allowed_hosts);
    identity_.any_address = true;
    auto bound = service_.listen(where.host, where.port);
    if (bound)
        identity_.port = *bound;
    return bound;
}

task<void> metrics_listener::answer(service_exchange& x) {
    service_response r;
    const auto& path = x.request().path;
    if (path == "/healthz" || path == "/readyz") {
        const auto trouble = path == "/readyz" ? trouble_() : std::string();
        r.status = trouble.empty() ? 200 : 503;
        r.headers = {{"Content-Type", "text/plain"}};
        r.body = trouble.empty() ? "ok\n" : trouble + "\n";
    } else if (path == "/metrics" &&
               !names_us(x.request().header("host").value_or(""), allowed_hosts_, false, identity_)) {
        r.status = 403;
        r.headers = {{"Content-Type", "text/plain"}};
        r.body = "this Host is not ours: add it to allowed_hosts if it is meant\n";
    } else if (path == "/metrics") {
        r.headers = {{"Content-Type", "text/plain; version=0.0.4"}};
        r.body = metrics_text(collect_());
    } else {
        r.status = 404;
        r.headers = {{"Content-Type", "text/plain"}};
        r.body = "known: /metrics /healthz /readyz\n";
    }
    co_await x.respond(std::move(r));
}

} // namespace reauth
