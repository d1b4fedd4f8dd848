// Whose request it is, as a value: a name with a small number, and what is counted for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// Copied freely, from any thread, and compared by identity. One that the configuration names lives as long
/// as the process; one from outside as long as anybody holds it, and its number is never given to another.
class principal_id {
public:
    /// "local": without client authentication there is one.
    principal_id();
    /// One that the configuration names.
    static principal_id of(std::string_view name);
    /// One that somebody else vouches for.
    static principal_id from_outside(std::string_view name);

    /// Those whose requests were counted: so many of the busiest, busiest first.
    static std::vector<principal_id> busiest(std::size_t most);

    const std::string& name() const noexcept { return entry_->name; }
    std::uint32_t number() const noexcept { return entry_->number; }
    bool outside() const noexcept { return entry_->outside; }
    friend bool operator==(const principal_id& a, const principal_id& b) noexcept {
        return a.entry_ == b.entry_;
    }

    /// It has called: seconds of a clock that never goes back.
    void used_at(std::uint32_t second) const noexcept {
        if (entry_->used.load(std::memory_order_relaxed) != second)
            entry_->used.store(second, std::memory_order_relaxed);
    }
    std::uint32_t last_used() const noexcept { return entry_->used.load(std::memory_order_relaxed); }
    /// Its requests that are in progress, with this one.
    unsigned begin_request() const noexcept {
        entry_->requests.fetch_add(1, std::memory_order_relaxed);
        return entry_->in_progress.fetch_add(1, std::memory_order_relaxed) + 1;
    }
    void end_request() const noexcept { entry_->in_progress.fetch_sub(1, std::memory_order_relaxed); }
    std::uint64_t requests() const noexcept { return entry_->requests.load(std::memory_order_relaxed); }
    unsigned in_progress() const noexcept { return entry_->in_progress.load(std::memory_order_relaxed); }

private:
    friend class principal_turn;
    struct entry {
        entry(std::string_view n, std::uint32_t i, bool o) : name(n), number(i), outside(o) {}
        const std::string name;
        const std::uint32_t number;
        const bool outside;
        mutable std::atomic<std::uint32_t> used{0};
        mutable std::atomic<unsigned> in_progress{0};
        mutable std::atomic<std::uint64_t> requests{0};
    };
    struct registry;
    explicit principal_id(std::shared_ptr<const entry> e) noexcept : entry_(std::move(e)) {}
    /// Never null. A configured one is not counted: the pointer owns nothing.
    std::shared_ptr<const entry> entry_;
};

/// One of a principal's requests in progress, as long as it lives; who begins it holds the principal for
/// longer.
class principal_turn {
public:
    principal_turn() = default;
    principal_turn(const principal_turn&) = delete;
    ~principal_turn() { end(); }
    /// False: `most` are in progress already (0: no limit). `told_apart`: callers are, so their requests are
    /// counted.
    bool begin(const principal_id& whose, unsigned most, std::uint32_t second, bool told_apart);
    void end() noexcept {
        if (whose_)
            std::exchange(whose_, nullptr)->in_progress.fetch_sub(1, std::memory_order_relaxed);
    }

private:
    const principal_id::entry* whose_ = nullptr;
};

} // namespace reauth
