// What is counted, and the listener that shows it: /metrics (Prometheus text), /healthz, /readyz.
#pragma once

#include "proxy/approval/approvals.hpp"
#include "proxy/evidence/audit_log.hpp"
#include "proxy/evidence/trace_exporter.hpp"
#include "proxy/net/http_service.hpp"
#include "proxy/recovery/manager.hpp"
#include "proxy/relay/routing.hpp"
#include "proxy/relay/worker.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace reauth {

/// One number, with its Prometheus name. Of one name there may be several, with other labels.
struct metric {
    std::string name, help;
    double value = 0;
    bool gauge = false;
    std::vector<std::pair<std::string, std::string>> labels{};
    std::string part{}; ///< of a histogram: "_bucket", "_sum", "_count"
    bool histogram = false;
};

/// What else is measured.
struct measured_parts {
    const audit_log* audit = nullptr;
    const trace_exporter* traces = nullptr;
    double started = 0; ///< when the process began, in seconds since 1970
};

/// All numbers as they are now; control thread.
std::vector<metric> collect_metrics(const credential_manager& recovery, const approvals& book,
                                    const std::vector<std::unique_ptr<worker>>& workers,
                                    const relay_shared& shared, const measured_parts& more = {});

/// As Prometheus reads them (text exposition format 0.0.4). Names and help are our own; the values of labels
/// are escaped. Those of one name stand together.
std::string metrics_text(const std::vector<metric>& all);

/// Serves the numbers. /healthz: the process lives; /readyz: 503 with one sentence while `trouble` gives one
/// (a credential that can't be stored would be lost with this process).
class metrics_listener {
public:
    metrics_listener(executor ex, std::function<std::vector<metric>()> collect,
                     std::function<std::string()> trouble);
    /// /metrics is for who asks this very address (or a name of `allowed_hosts`), not for pages whose name
    /// was pointed here.
    result<std::uint16_t> listen(const endpoint_config& where, std::vector<std::string> allowed_hosts);
    void stop() { service_.stop(); }

private:
    task<void> answer(service_exchange& x);
    std::function<std::vector<metric>()> collect_;
    std::function<std::string()> trouble_;
    std::vector<std::string> allowed_hosts_;
    listener_identity identity_;
    http_service service_;
};

} // namespace reauth
