// Prometheus text, and the small listener.
#include "proxy/service/metrics.hpp"

#include "proxy/relay/admission.hpp"

#include <sstream>

namespace reauth {

namespace {

std::string escaped(const std::string& value) {
    std::string out;
    for (const char c : value)
        out += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : c == '\n' ? "\\n" : std::string(1, c);
    return out;
}

} // namespace

std::string metrics_text(const std::vector<metric>& all) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(17);
    std::string last;
    for (const auto& m : all) {
        if (m.name != last)
            out << "# HELP " << m.name << ' ' << m.help << "\n# TYPE " << m.name
                << (m.histogram ? " histogram\n"
                    : m.gauge   ? " gauge\n"
                                : " counter\n");
        last = m.name;
        out << m.name << m.part;
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
