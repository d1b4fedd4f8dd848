// What a person has said once for all on the page: these scopes of this upstream need no confirmation.
#pragma once

#include "core/oauth/credential.hpp"
#include "policy/rules/rules.hpp"

#include <memory>
#include <string>
#include <vector>

namespace reauth {

/// Kept in the vault. It takes the place of a `confirm` alone: what a rule of the configuration denies stays
/// denied, and where a login is needed a person is asked all the same.
struct remembered_rule {
    std::string id; ///< 16 characters
    std::string principal, upstream;
    scope_set scopes; ///< matched exactly: no globs
    time_point created_at{};
};

using remembered_rules = std::shared_ptr<const std::vector<remembered_rule>>;

/// The one that covers all of these scopes; nullptr: none.
const remembered_rule* find_remembered(const remembered_rules& rules, std::string_view principal,
                                       std::string_view upstream, const scope_set& added);

/// As a rule of the policy, for messages, `check` and the page.
rule to_rule(const remembered_rule& r);

} // namespace reauth
