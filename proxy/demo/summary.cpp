// The demo's end: the table, the claims, and the same as JSON.
#include "proxy/demo/script.hpp"

#include <algorithm>

namespace reauth {

bool demo_outcome::ok() const {
    return !claims.empty() &&
           std::all_of(claims.begin(), claims.end(), [](const demo_claim& c) { return c.held; });
}

nlohmann::json demo_outcome::to_json() const {
    nlohmann::json checked = nlohmann::json::array();
    for (const auto& claim : claims)
        checked.push_back({{"claim", claim.what}, {"held", claim.held}});
    return {{"ok", ok()},
            {"requests", requests},
            {"client_errors", errors},
            {"silent_renewals", renewals},
            {"approvals", approvals},
            {"refresh_reuses", refresh_reuses},
            {"challenges_absorbed", challenges_absorbed},
            {"longest_silent_call_ms", longest_call.count()},
            {"claims", checked}};
}

void demo_print(const demo_outcome& outcome, bool enterprise, demo_narrator& narrator) {
    const auto row = [&](const std::string& what, const std::string& value) {
        constexpr std::size_t width = 52;
        narrator.line("  " + what + std::string(what.size() < width ? width - what.size() : 1, ' ') +
                      std::string(value.size() < 8 ? 8 - value.size() : 0, ' ') + value);
    };
    narrator.line();
    narrator.line(narrator.strong("What happened"));
    row("requests by the client", std::to_string(outcome.requests));
    row("errors it saw", std::to_string(outcome.errors));
    row("401 and 403 answers the proxy kept from it", std::to_string(outcome.challenges_absorbed));
    row(enterprise ? "tokens minted again, silently" : "tokens refreshed, silently",
        std::to_string(outcome.renewals));
    row("slowest call that no person was asked for", std::to_string(outcome.longest_call.count()) + " ms");
    row("times a person was asked", std::to_string(outcome.approvals));
    row("refresh tokens used twice", std::to_string(outcome.refresh_reuses));
    narrator.line();
    narrator.line(narrator.strong("Checked at the servers"));
    for (const auto& claim : outcome.claims)
        narrator.line("  " + (claim.held ? narrator.good("yes") : narrator.bad("NO ")) + "  " + claim.what);
    narrator.line();
}

} // namespace reauth
