// The last recoveries, decisions and sign-ins of this process, for the dashboard and `mcp-reauth history`.
#pragma once

#include "core/oauth/credential.hpp"

#include <deque>
#include <string>

namespace reauth {

/// One thing that happened. Holds no secret by type; strings from outside are cleaned where they are shown.
struct history_entry {
    time_point at{};
    std::string what;     ///< "recovery", "decision", "sign_in", "sign_out", "storage"
    std::string how;      ///< "refresh", "login", "step_up", "denied", "call approved" …
    std::string upstream; ///< or the identity provider
    std::string principal, subject, client, rule, approval, scopes;
    std::string code = "ok"; ///< or a fault's word
    std::string detail;
    std::string by;                     ///< who decided it, where that is known
    std::chrono::milliseconds took{-1}; ///< a recovery's time, a person's time; negative: not known
};

/// Control thread only.
class history {
public:
    static constexpr std::size_t kept = 200;

    void add(history_entry e) {
        entries_.push_front(std::move(e));
        if (entries_.size() > kept)
            entries_.pop_back();
    }
    /// Newest first.
    const std::deque<history_entry>& entries() const noexcept { return entries_; }

private:
    std::deque<history_entry> entries_;
};

} // namespace reauth
