// One thing that happened, for the dashboard, `mcp-reauth history` and the audit.
#pragma once

#include "core/base/time_point.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace reauth {

/// Holds no secret by type; strings from outside are cleaned where they are written.
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
    std::string recovery{};             ///< the id of its timeline; empty: there is none
};

/// Newest first, whoever wrote them.
inline bool newer(const history_entry& a, const history_entry& b) noexcept {
    return a.at > b.at;
}

/// As the API has it; times to the second.
nlohmann::json history_json(const history_entry& e);
/// … and as the vault keeps it; nothing: it is not that.
nlohmann::json stored_entry_json(const history_entry& e);
std::optional<history_entry> entry_from_json(const nlohmann::json& in);

} // namespace reauth
