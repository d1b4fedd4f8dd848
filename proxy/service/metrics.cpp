// What is collected from whom, as Prometheus text, and the small listener.
#include "proxy/service/metrics.hpp"

#include "proxy/relay/admission.hpp"

#include <sstream>

namespace reauth {

namespace {

/// What the workers count: a line each.
struct worker_row {
    const char *name, *help;
    std::atomic<std::uint64_t> worker_counters::* value;
};
constexpr worker_row worker_rows[] = {
    {"mcp_reauth_requests_total", "Client requests", &worker_counters::requests},
    {"mcp_reauth_challenges_total", "Upstream answers that asked for another credential",
     &worker_counters::challenges},
    {"mcp_reauth_waited_total", "Requests that waited for a recovery", &worker_counters::waited},
    {"mcp_reauth_replays_total", "Requests sent again with a new credential", &worker_counters::replays},
    {"mcp_reauth_resent_total", "Safe requests sent again because a kept connection broke",
     &worker_counters::resent},
    {"mcp_reauth_callers_verified_total", "Tokens of callers that were verified", &worker_counters::verified},
    {"mcp_reauth_callers_refused_total", "Requests whose caller is nobody we know",
     &worker_counters::strangers},
    {"mcp_reauth_failures_total", "Requests answered with an error of ours", &worker_counters::failures},
};

/// What recovery counts.
struct recovery_row {
    const char *name, *help;
    std::uint64_t recovery_counters::* value;
};
constexpr recovery_row recovery_rows[] = {
    {"mcp_reauth_refreshes_total", "Refresh token grants", &recovery_counters::refreshes},
    {"mcp_reauth_refresh_failures_total", "Refresh token grants that failed",
     &recovery_counters::refresh_failures},
    {"mcp_reauth_machine_tokens_total", "client_credentials and jwt_bearer grants",
     &recovery_counters::machine_tokens},
    {"mcp_reauth_mints_total", "Enterprise re-mints", &recovery_counters::mints},
    {"mcp_reauth_logins_total", "Logins completed", &recovery_counters::logins},
    {"mcp_reauth_step_ups_total", "Step-ups completed", &recovery_counters::step_ups},
    {"mcp_reauth_approvals_total", "Approvals opened", &recovery_counters::approvals},
    {"mcp_reauth_denials_total", "Approvals denied", &recovery_counters::denials},
    {"mcp_reauth_identities_ended_total",
     "Identities that were ended here: signed out, revoked, by an operator",
     &recovery_counters::identities_ended},
    {"mcp_reauth_joined_total", "Requests that joined a recovery in flight", &recovery_counters::joined},
};

std::string escaped(const std::string& value) {
    std::string out;
    for (const char c : value)
        out += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : c == '\n' ? "\\n" : std::string(1, c);
    return out;
}

} // namespace

std::vector<metric> collect_metrics(const credential_manager& recovery, const approvals& book,
                                    const std::vector<std::unique_ptr<worker>>& workers,
                                    const relay_shared& shared) {
    const auto number = [](auto v) { return static_cast<double>(v); };
    std::vector<metric> all;
    for (const auto& row : worker_rows) {
        std::uint64_t sum = 0;
        for (const auto& w : workers)
            sum += (w->counters.*row.value).load(std::memory_order_relaxed);
        all.push_back({row.name, row.help, number(sum)});
    }
    for (const auto& row : recovery_rows)
        all.push_back({row.name, row.help, number(recovery.counters().*row.value)});
    const auto gauge = [&](const char* name, const char* help, auto value) {
        all.push_back({name, help, number(value), true});
    };
    gauge("mcp_reauth_unsaved_credentials", "Credentials used from memory because the vault can't store them",
          recovery.unsaved().size());
    gauge("mcp_reauth_waiting_requests", "Requests held now", shared.waiters.load());
    gauge("mcp_reauth_principals", "Principals from outside that are kept in memory now",
          recovery.outsiders());
    gauge("mcp_reauth_connections", "Client connections now", shared.connections.load());
    gauge("mcp_reauth_replay_bytes", "Bytes recorded for replay now", shared.replay_bytes.load());
    gauge("mcp_reauth_waiting_approvals", "Approvals that wait for a person", book.waiting().size());
    for (const auto& [upstream, held] : recovery.held_by_upstream())
        all.push_back({"mcp_reauth_credentials",
                       "Credentials that are held in memory, by upstream",
                       number(held),
                       true,
                       {{"upstream", upstream}}});
    constexpr std::size_t most_principals = 200;
    const auto busiest = principal_id::busiest(most_principals);
    for (const auto& p : busiest)
        all.push_back({"mcp_reauth_principal_requests_total",
                       "Requests, by the 200 principals that have sent most",
                       number(p.requests()),
                       false,
                       {{"principal", p.name()}}});
    for (const auto& p : busiest)
        all.push_back({"mcp_reauth_principal_requests",
                       "… that are in progress now",
                       number(p.in_progress()),
                       true,
                       {{"principal", p.name()}}});
    return all;
}

std::string metrics_text(const std::vector<metric>& all) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(17);
    std::string last;
    for (const auto& m : all) {
        if (m.name != last)
            out << "# HELP " << m.name << ' ' << m.help << "\n# TYPE " << m.name
                << (m.gauge ? " gauge\n" : " counter\n");
        last = m.name;
        out << m.name;
        for (std::size_t i = 0; i < m.labels.size(); ++i)
            out << (i == 0 ? "{" : ",") << m.labels[i].first << "=\"" << escaped(m.labels[i].second) << '"';
        out << (m.labels.empty() ? " " : "} ") << m.value << '\n';
    }
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
