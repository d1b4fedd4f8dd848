// Whose identity has ended, and when: tokens of before are not believed any more, whatever their `exp` says.
#pragma once

#include "core/oauth/identity_end.hpp"
#include "proxy/relay/caller.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>

namespace reauth {

/// By identity_key(); immutable once shared with workers.
using ended_identities = std::unordered_map<std::uint64_t, time_point>;
using ended_ptr = std::shared_ptr<const ended_identities>;

/// One end, as workers hear of it.
struct identity_end {
    std::uint64_t key = 0;
    std::string principal; ///< by name; empty: only the key is known
    time_point at{};
    ended_ptr all; ///< with this one

    /// Whether it is about that caller: one with a token of before, or any other of that name.
    bool covers(const caller& who) const {
        const bool meant = who.principal.name() == principal || who.is_known_as(key);
        return meant && (!who.issued_at || *who.issued_at <= at);
    }
};

/// A token says who somebody is; one that was issued before the end of that identity says it no more.
inline bool ended_before(const ended_identities& all, const caller& who) {
    const std::uint64_t keys[] = {identity_key(identity_kind::principal, {}, who.principal.name()),
                                  who.subject_key, who.session_key};
    return std::any_of(std::begin(keys), std::end(keys), [&](std::uint64_t key) {
        const auto found = all.find(key);
        return found != all.end() && (!who.issued_at || *who.issued_at <= found->second);
    });
}

} // namespace reauth
