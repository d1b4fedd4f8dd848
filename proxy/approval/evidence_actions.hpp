// What the page and its API ask about the past. Carried out by recovery.
#pragma once

#include "core/base/failure.hpp"
#include "proxy/evidence/audit_log.hpp"
#include "proxy/evidence/timeline.hpp"
#include "proxy/net/task.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// Which entries are wanted; empty: any.
struct history_query {
    std::string upstream, principal;
    std::optional<time_point> since;
    std::size_t most = 200;
    std::function<bool(const std::string& principal)> sees =
        {}; ///< whose are shown at all; empty: everybody's
};

/// The audit as the API tells of it.
struct audit_view {
    audit_state now;
    std::string file;
    std::vector<std::string> heads; ///< audit_head::text() of every process's chain on the vault
};

/// Control thread only.
class evidence_actions {
public:
    virtual ~evidence_actions() = default;
    /// Newest first, of all processes on the vault.
    virtual task<std::vector<history_entry>> history(history_query wanted) = 0;
    /// The whole of one; nothing: there is none.
    virtual task<std::optional<timeline>> timeline_of(std::string id) = 0;
    /// The last timelines that hold judgements, newest first, each with those alone.
    virtual task<std::vector<timeline>> judgements(std::size_t most) = 0;
    /// How the audit stands; nothing: none is written.
    virtual task<std::optional<audit_view>> audit() = 0;
};

} // namespace reauth
