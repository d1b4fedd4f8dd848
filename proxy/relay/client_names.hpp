// What clients call themselves, per MCP session: told once, at `initialize`, and asked for where a person is
// shown who wants something.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace reauth {

/// Shared by the workers; used where a session begins and where a request is held, never on the steady path.
class client_names {
public:
    /// Of so many sessions names are kept; the oldest are forgotten.
    static constexpr std::size_t most_sessions = 10'000;

    void remember(std::uint64_t credential, std::string_view session, std::string name);
    /// Empty: not known.
    std::string find(std::uint64_t credential, std::string_view session);

private:
    using key = std::pair<std::uint64_t, std::string>;
    std::mutex mutex_;
    std::map<key, std::string> names_;
    std::list<key> order_; ///< the oldest is the first
};

} // namespace reauth
