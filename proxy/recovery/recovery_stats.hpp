// What recovery counts by upstream, for /metrics: bounded, whatever upstreams and people come.
#pragma once

#include "core/base/histogram.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace reauth {

/// Control thread only.
class recovery_stats {
public:
    static constexpr std::size_t most_series = 2000;
    template<std::size_t n>
    using labels = std::array<std::string, n>;

    /// Counts by labels; beyond the bound everything is "other".
    template<std::size_t n>
    class counted {
    public:
        void add(labels<n> of) {
            if (all_.size() >= most_series && !all_.contains(of))
                of.fill("other");
            ++all_[of];
        }
        const std::map<labels<n>, std::uint64_t>& all() const noexcept { return all_; }

    private:
        std::map<labels<n>, std::uint64_t> all_;
    };
    template<std::size_t n>
    class timed {
    public:
        void add(labels<n> of, std::chrono::nanoseconds took) {
            if (all_.size() >= most_series / histogram::bounds.size() && !all_.contains(of))
                of.fill("other");
            auto& found = all_[of];
            if (!found)
                found = std::make_unique<histogram>();
            found->add(took);
        }
        const std::map<labels<n>, std::unique_ptr<histogram>>& all() const noexcept { return all_; }

    private:
        std::map<labels<n>, std::unique_ptr<histogram>> all_;
    };

    counted<4> recoveries;      ///< upstream, grant, how, outcome
    counted<3> approvals_ended; ///< upstream, kind, outcome
    counted<2> answers;         ///< of held requests: upstream, outcome
    timed<2> recovery_time;     ///< upstream, how
    timed<1> person_time;       ///< upstream: from the question to the decision
    histogram lock_waits;
};

} // namespace reauth
