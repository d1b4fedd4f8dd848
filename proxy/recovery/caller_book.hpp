// The tokens that callers have shown, for those who act as them: the one of each principal that lasts
// longest.
#pragma once

#include "policy/flows/exchange_flow.hpp"
#include "proxy/relay/caller.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace reauth {

/// Control thread only. In memory alone.
class caller_book {
public:
    void keep(const std::string& principal, std::shared_ptr<const caller_token> shown);
    /// Nothing: none that is good at `now`.
    std::optional<caller_subject> find(const std::string& principal, time_point now) const;
    /// The provider does not take it any more.
    void refused(const std::string& principal, const secret& token);
    void forget(const std::string& principal) { shown_.erase(principal); }
    void drop_expired(time_point now);

private:
    std::map<std::string, std::shared_ptr<const caller_token>> shown_;
};

} // namespace reauth
