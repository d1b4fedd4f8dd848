// How long things take, counted by length: one writer, any number of readers.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace reauth {

/// Prometheus' kind: the counts of `bounds` are not cumulative here.
class histogram {
public:
    /// Upper bounds in seconds; what is longer than the last one is counted behind them.
    static constexpr std::array<double, 18> bounds{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                                   0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                                   0.5,     1,      2.5,     10,     30,    120};
    using counts = std::array<std::uint64_t, bounds.size() + 1>;

    /// On the writer's thread.
    void add(std::chrono::nanoseconds length) noexcept {
        const auto seconds = static_cast<double>(length.count()) * 1e-9;
        std::size_t i = 0;
        while (i < bounds.size() && seconds > bounds[i])
            ++i;
        raise(counts_[i], 1);
        raise(sum_, length.count() > 0 ? static_cast<std::uint64_t>(length.count()) : 0);
    }
    /// What is there now, added to `sums`; the sum of all lengths in seconds.
    double read(counts& sums) const noexcept {
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] += counts_[i].load(std::memory_order_relaxed);
        return static_cast<double>(sum_.load(std::memory_order_relaxed)) * 1e-9;
    }

private:
    static void raise(std::atomic<std::uint64_t>& value, std::uint64_t by) noexcept {
        value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
    std::atomic<std::uint64_t> sum_{0}; ///< nanoseconds
};

} // namespace reauth
