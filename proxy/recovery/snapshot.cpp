// A credential made ready for the data path.
#include "proxy/recovery/life_effects.hpp"

namespace reauth {

snapshot_ptr make_snapshot(credential held, bool renewable, std::chrono::milliseconds refresh_ahead,
                           time_point now) {
    using std::chrono::duration_cast, std::chrono::milliseconds;
    auto snapshot = std::make_shared<credential_snapshot>();
    std::string line = (held.header.empty() ? "Authorization" : held.header) + ": ";
    const auto scheme = held.dpop_key.empty() ? held.header.empty() ? "Bearer" : held.token_type : "DPoP";
    if (!scheme.empty())
        line += scheme + " ";
    line += held.access_token.reveal();
    line += "\r\n";
    snapshot->header_line = secret(std::move(line));
    snapshot->renewable = renewable;
    if (held.expires_at) {
        const auto life = duration_cast<milliseconds>(*held.expires_at - held.obtained_at);
        // a short-lived token would be renewed all the time if the whole of refresh_ahead were taken
        const auto ahead = std::max(std::min(refresh_ahead, life / 4), milliseconds(0));
        snapshot->expires_at =
            std::chrono::steady_clock::now() + duration_cast<milliseconds>(*held.expires_at - now);
        snapshot->renew_at = snapshot->expires_at - ahead;
    }
    snapshot->held = std::move(held);
    return snapshot;
}

} // namespace reauth
