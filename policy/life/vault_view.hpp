// What is known of the vault's record of one credential: how far its numbers have come, what was signed out
// of, which issuer a person has approved.
#pragma once

#include "policy/life/life_events.hpp"

#include <algorithm>

namespace reauth {

class vault_view {
public:
    /// The highest generation that the vault is known to hold, tombstones included.
    std::uint64_t generation() const noexcept { return generation_; }
    void seen(std::uint64_t generation) noexcept { generation_ = std::max(generation_, generation); }
    /// What has no higher generation was signed out of, whatever the vault says.
    std::uint64_t signed_out_at() const noexcept { return signed_out_at_; }
    void signed_out(std::uint64_t generation) noexcept {
        signed_out_at_ = std::max(signed_out_at_, generation);
    }
    /// The next generation is a tombstone's; its number.
    std::uint64_t bury() noexcept { return signed_out_at_ = ++generation_; }
    /// Somebody else has signed out since we last looked.
    bool foreign_tombstone(const life::stored_state& state) const noexcept {
        return !state.value && state.generation > generation_;
    }

    /// The issuer that a person (or trust) approved; empty: none yet.
    const std::string& pinned_issuer() const noexcept { return pinned_issuer_; }
    void pin(std::string issuer) { pinned_issuer_ = std::move(issuer); }

private:
    std::uint64_t generation_ = 0, signed_out_at_ = 0;
    std::string pinned_issuer_;
};

} // namespace reauth
