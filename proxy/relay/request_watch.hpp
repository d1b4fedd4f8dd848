// What is measured of one request where metrics or traces are wanted; without them there is none.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/histogram.hpp"
#include "core/base/time_point.hpp"
#include "core/http/trace_context.hpp"
#include "proxy/relay/routing.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace reauth {

/// How a request was answered: by status, or with a fault of ours.
using request_outcome = std::size_t;
inline constexpr request_outcome outcomes_by_status = 6; ///< 0: cut off, else the status' first digit
inline constexpr request_outcome outcome_count =
    outcomes_by_status + static_cast<std::size_t>(fault::internal) + 1;
/// "2xx", "cut", or a fault's word.
std::string_view outcome_label(request_outcome o) noexcept;

enum class request_kind : std::uint8_t { get, post, other };
inline constexpr std::array<std::string_view, 3> request_kinds{"get", "post", "other"};

/// A span of one request, as it is told at its end.
struct request_span {
    trace_context context; ///< its own
    std::string parent;    ///< span id of the caller; empty: it begins the trace
    time_point began{}, ended{};
    std::string upstream, principal, method, tool, request_id, session, http_method, recovery;
    unsigned status = 0, recoveries = 0;
    std::optional<fault> failed;
};

/// Takes spans of requests; any thread.
class request_tracer {
public:
    virtual ~request_tracer() = default;
    virtual void request(request_span span) = 0;
};

/// Of one upstream, on one worker: it writes, anybody reads.
struct upstream_stats {
    std::array<std::array<std::atomic<std::uint64_t>, outcome_count>, request_kinds.size()> outcomes{};
    histogram whole;     ///< from the head to the answer's head
    histogram upstreams; ///< … of that, what was waited for the upstream
    histogram ours;      ///< … and neither for it nor for a recovery
};

/// By upstream, of one worker.
class request_stats {
public:
    /// The worker's thread.
    upstream_stats& of(const std::string& upstream) {
        const std::lock_guard lock(mutex_);
        auto& found = all_[upstream];
        if (!found)
            found = std::make_unique<upstream_stats>();
        return *found;
    }
    /// Any thread.
    template<class F>
    void each(F f) const {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, one] : all_)
            f(name, *one);
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::unique_ptr<upstream_stats>> all_;
};

/// Of the request that an exchange serves.
struct request_watch {
    using clock = std::chrono::steady_clock;
    clock::time_point began = clock::now(), mark{};
    clock::duration upstreams{}, waited{};
    clock::time_point head_out{}; ///< when the upstream's answer began to go to the client; none: it has not
    unsigned status = 0;
    request_kind kind = request_kind::other;
    std::unique_ptr<request_span> span; ///< null: it is not traced

    void sending() noexcept { mark = clock::now(); }
    void heard(unsigned s) noexcept {
        upstreams += clock::now() - mark;
        status = s;
    }
};

} // namespace reauth
