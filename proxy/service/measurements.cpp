// What is collected from whom.
#include "proxy/service/metrics.hpp"

#include <algorithm>

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

using label_list = std::vector<std::pair<std::string, std::string>>;

double real(auto v) {
    return static_cast<double>(v);
}

void add(std::vector<metric>& all, const char* name, const char* help, double value, bool is_gauge,
         label_list labels = {}) {
    all.push_back({name, help, value, is_gauge, std::move(labels)});
}

/// One histogram's samples, `counts` not cumulative.
void add_histogram(std::vector<metric>& all, const char* name, const char* help, const label_list& labels,
                   const histogram::counts& counts, double sum) {
    const auto sample = [&](std::string part, double value, label_list more) {
        metric m{name, help, value, false, labels};
        m.labels.insert(m.labels.end(), more.begin(), more.end());
        m.part = std::move(part);
        m.histogram = true;
        all.push_back(std::move(m));
    };
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        so_far += counts[i];
        std::string bound = "+Inf";
        if (i < histogram::bounds.size()) {
            std::array<char, 24> text{};
            std::snprintf(text.data(), text.size(), "%g", histogram::bounds[i]);
            bound = text.data();
        }
        sample("_bucket", real(so_far), {{"le", bound}});
    }
    sample("_sum", sum, {});
    sample("_count", real(so_far), {});
}

void add_histogram(std::vector<metric>& all, const char* name, const char* help, const label_list& labels,
                   const histogram& h) {
    histogram::counts counts{};
    const auto sum = h.read(counts);
    add_histogram(all, name, help, labels, counts, sum);
}

/// Of one upstream, on all workers.
struct upstream_sums {
    std::array<std::array<std::uint64_t, outcome_count>, request_kinds.size()> outcomes{};
    std::array<histogram::counts, 3> counts{};
    std::array<double, 3> seconds{};
};

void add_requests(std::vector<metric>& all, const std::vector<std::unique_ptr<worker>>& workers) {
    std::map<std::string, upstream_sums> sums;
    for (const auto& w : workers)
        w->stats.each([&](const std::string& name, const upstream_stats& one) {
            auto& s = sums[name];
            for (std::size_t k = 0; k < s.outcomes.size(); ++k)
                for (std::size_t o = 0; o < outcome_count; ++o)
                    s.outcomes[k][o] += one.outcomes[k][o].load(std::memory_order_relaxed);
            const std::array<const histogram*, 3> parts{&one.whole, &one.upstreams, &one.ours};
            for (std::size_t i = 0; i < parts.size(); ++i)
                s.seconds[i] += parts[i]->read(s.counts[i]);
        });
    for (const auto& [name, s] : sums)
        for (std::size_t k = 0; k < s.outcomes.size(); ++k)
            for (std::size_t o = 0; o < outcome_count; ++o)
                if (s.outcomes[k][o] > 0)
                    add(all, "mcp_reauth_upstream_requests_total",
                        "Requests by upstream, kind (post, get) and outcome: the status of the answer, or "
                        "our error",
                        real(s.outcomes[k][o]), false,
                        {{"upstream", name},
                         {"kind", std::string(request_kinds[k])},
                         {"outcome", std::string(outcome_label(o))}});
    struct row {
        const char *name, *help;
    };
    static constexpr row rows[] = {
        {"mcp_reauth_request_duration_seconds", "From a request's head to the head of its answer"},
        {"mcp_reauth_upstream_duration_seconds", "What of that was waited for the upstream"},
        {"mcp_reauth_own_duration_seconds",
         "What of that was neither waited for the upstream nor for a recovery"}};
    for (std::size_t i = 0; i < std::size(rows); ++i)
        for (const auto& [name, s] : sums)
            add_histogram(all, rows[i].name, rows[i].help, {{"upstream", name}}, s.counts[i], s.seconds[i]);
}

void add_recovery(std::vector<metric>& all, const credential_manager& recovery) {
    const auto& stats = recovery.record().stats();
    for (const auto& [l, n] : stats.recoveries.all())
        add(all, "mcp_reauth_recoveries_total",
            "Recoveries, sign-ins and sign-outs by how and outcome (ok, or our error)", real(n), false,
            {{"upstream", l[0]}, {"grant", l[1]}, {"how", l[2]}, {"outcome", l[3]}});
    for (const auto& [l, n] : stats.answers.all())
        add(all, "mcp_reauth_held_requests_total",
            "Held requests by what became of them: replayed, passed, or our error", real(n), false,
            {{"upstream", l[0]}, {"outcome", l[1]}});
    for (const auto& [l, h] : stats.recovery_time.all())
        add_histogram(all, "mcp_reauth_recovery_duration_seconds",
                      "Silent recoveries, from their beginning to their end",
                      {{"upstream", l[0]}, {"how", l[1]}}, *h);
    for (const auto& [l, h] : stats.person_time.all())
        add_histogram(all, "mcp_reauth_person_duration_seconds",
                      "From a question to what a person made of it", {{"upstream", l[0]}}, *h);
    add_histogram(all, "mcp_reauth_lock_wait_seconds",
                  "Waits for the lock that one recovery of a credential holds", {}, stats.lock_waits);
    for (const auto& [rule, n] : recovery.record().observations())
        add(all, "mcp_reauth_rule_observed_total", "What rules with observe: true would have decided",
            real(n), false, {{"rule", rule}});
    for (const auto& c : recovery.credential_states())
        add(all, "mcp_reauth_credential_states", "Credentials that are known here, by state", real(c.count),
            true, {{"upstream", c.upstream}, {"grant", c.grant}, {"state", c.state}});
    const auto now = wall_clock::now();
    for (const auto& [upstream, at] : recovery.soonest_expiries())
        add(all, "mcp_reauth_credential_expires_seconds",
            "Until the first credential ends that nothing renews silently; negative: it has ended",
            std::chrono::duration<double>(at - now).count(), true, {{"upstream", upstream}});
    add_histogram(all, "mcp_reauth_vault_duration_seconds",
                  "Calls of the vault, what waited for other calls among them", {}, recovery.vault().took());
    add(all, "mcp_reauth_vault_errors_total", "Calls of the vault that failed",
        real(recovery.vault().failures()), false);
    add(all, "mcp_reauth_vault_waiting", "Calls of the vault that are under way or wait",
        recovery.vault().waiting(), true);
    if (recovery.news_age().count() >= 0)
        add(all, "mcp_reauth_news_age_seconds",
            "Since the vault was asked for what other processes have written", recovery.news_age().count(),
            true);
}

void add_approvals(std::vector<metric>& all, const approvals& book, const recovery_stats& stats) {
    std::map<std::array<std::string, 3>, unsigned> waiting;
    std::optional<time_point> oldest;
    for (const auto& a : book.waiting()) {
        ++waiting[{a->upstream, std::string(to_string(a->kind)), std::string(to_string(a->status))}];
        oldest = oldest ? std::min(*oldest, a->created_at) : a->created_at;
    }
    for (const auto& [l, n] : waiting)
        add(all, "mcp_reauth_approvals", "Approvals that are open, by state", real(n), true,
            {{"upstream", l[0]}, {"kind", l[1]}, {"state", l[2]}});
    add(all, "mcp_reauth_oldest_approval_seconds",
        "How long the oldest open approval has waited; 0: none is open",
        oldest ? std::chrono::duration<double>(wall_clock::now() - *oldest).count() : 0, true);
    for (const auto& [l, n] : stats.approvals_ended.all())
        add(all, "mcp_reauth_approvals_ended_total", "Approvals that ended, by outcome", real(n), false,
            {{"upstream", l[0]}, {"kind", l[1]}, {"outcome", l[2]}});
}

void add_process(std::vector<metric>& all, const credential_manager& recovery,
                 const std::vector<std::unique_ptr<worker>>& workers, const measured_parts& more) {
    unsigned idle = 0;
    for (const auto& w : workers)
        idle += w->idle_upstreams.load(std::memory_order_relaxed);
    add(all, "mcp_reauth_pool_connections", "Upstream connections that are kept for the next request", idle,
        true);
    add(all, "mcp_reauth_timelines_lost_total", "Timelines that could not be stored",
        real(recovery.kept_lost()), false);
    if (more.audit) {
        const auto now = more.audit->state();
        add(all, "mcp_reauth_audit_lines_total", "Lines of the audit that are written", real(now.lines),
            false);
        add(all, "mcp_reauth_audit_lost_total",
            "Lines of the audit that could not be written, and were given up", real(now.lost), false);
        add(all, "mcp_reauth_audit_waiting", "Lines of the audit that wait for the disk", real(now.waiting),
            true);
        add(all, "mcp_reauth_audit_failing", "1: the audit can't be written", now.trouble.empty() ? 0 : 1,
            true);
    }
    if (more.traces) {
        const auto& c = more.traces->counters();
        add(all, "mcp_reauth_spans_sent_total", "Spans that the collector has taken", real(c.sent), false);
        add(all, "mcp_reauth_spans_dropped_total", "Spans that found no room, or were not taken",
            real(c.dropped), false);
        add(all, "mcp_reauth_span_exports_failed_total", "Exports of spans that failed", real(c.failures),
            false);
    }
    add(all, "mcp_reauth_build_info", "1, with the version", 1, true, {{"version", REAUTH_VERSION}});
    add(all, "process_start_time_seconds", "When this process began, in seconds since 1970", more.started,
        true);
}

} // namespace

std::vector<metric> collect_metrics(const credential_manager& recovery, const approvals& book,
                                    const std::vector<std::unique_ptr<worker>>& workers,
                                    const relay_shared& shared, const measured_parts& more) {
    std::vector<metric> all;
    for (const auto& row : worker_rows) {
        std::uint64_t sum = 0;
        for (const auto& w : workers)
            sum += (w->counters.*row.value).load(std::memory_order_relaxed);
        add(all, row.name, row.help, real(sum), false);
    }
    for (const auto& row : recovery_rows)
        add(all, row.name, row.help, real(recovery.counters().*row.value), false);
    const auto gauge = [&](const char* name, const char* help, auto value) {
        add(all, name, help, real(value), true);
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
        add(all, "mcp_reauth_credentials", "Credentials that are held in memory, by upstream", real(held),
            true, {{"upstream", upstream}});
    constexpr std::size_t most_principals = 200;
    const auto busiest = principal_id::busiest(most_principals);
    for (const auto& p : busiest)
        add(all, "mcp_reauth_principal_requests_total", "Requests, by the 200 principals that have sent most",
            real(p.requests()), false, {{"principal", p.name()}});
    for (const auto& p : busiest)
        add(all, "mcp_reauth_principal_requests", "… that are in progress now", real(p.in_progress()), true,
            {{"principal", p.name()}});
    add_requests(all, workers);
    add_recovery(all, recovery);
    add_approvals(all, book, recovery.record().stats());
    add_process(all, recovery, workers, more);
    return all;
}

} // namespace reauth
