// Kept, found, dropped.
#include "proxy/recovery/caller_book.hpp"

namespace reauth {

void caller_book::keep(const std::string& principal, std::shared_ptr<const caller_token> shown) {
    if (!shown)
        return;
    auto& held = shown_[principal];
    if (!held || held->expires_at <= shown->expires_at)
        held = std::move(shown);
}

std::optional<caller_subject> caller_book::find(const std::string& principal, time_point now) const {
    const auto found = shown_.find(principal);
    if (found == shown_.end() || found->second->expires_at <= now)
        return std::nullopt;
    const auto& held = *found->second;
    return caller_subject{held.token, held.id_token, held.expires_at};
}

void caller_book::refused(const std::string& principal, const secret& token) {
    const auto found = shown_.find(principal);
    if (found != shown_.end() && found->second->token == token)
        shown_.erase(found);
}

void caller_book::drop_expired(time_point now) {
    std::erase_if(shown_, [&](const auto& one) { return one.second->expires_at <= now; });
}

} // namespace reauth
