// Spans on their way to a collector: OTLP over HTTP with JSON. A bounded queue; what finds no room, or nobody
// takes, is dropped and counted. Nothing waits for it.
#pragma once

#include "conf/config.hpp"
#include "proxy/evidence/span.hpp"
#include "proxy/net/http_client.hpp"

#include <deque>
#include <map>
#include <memory>

namespace reauth {

struct trace_counters {
    std::uint64_t sent = 0, dropped = 0, failures = 0; ///< spans taken, spans lost, exports that failed
};

/// Control thread only.
class trace_exporter : public std::enable_shared_from_this<trace_exporter> {
public:
    static constexpr std::size_t most_waiting = 2048, most_at_once = 256;

    /// `process`: what tells this one from others (service.instance.id).
    trace_exporter(executor ex, trace_config settings, const std::string& process, std::string version);

    void add(span s);
    /// What is new of a timeline.
    void add(const timeline& t);
    /// What waits is sent once more, and no more taken.
    void stop();
    const trace_counters& counters() const noexcept { return counters_; }
    std::size_t waiting() const noexcept { return queue_.size() + in_flight_; }

private:
    static task<void> send(std::shared_ptr<trace_exporter> self);
    void flush_soon();
    void begin_sending();
    http_request request_for(const std::vector<span>& batch) const;

    executor ex_;
    const trace_config settings_;
    const std::string version_;
    timeline_facts resource_;
    http_client client_;
    loop_timer timer_;
    std::deque<span> queue_;
    std::map<std::string, std::size_t> told_; ///< steps of timelines that were told already
    trace_counters counters_;
    std::size_t in_flight_ = 0;
    bool armed_ = false, sending_ = false, stopped_ = false, failing_ = false;
};

} // namespace reauth
