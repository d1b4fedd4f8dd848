// The keys of `match:`, each a row: reader, writer, matcher and check all go by this table. A new key is a
// member of rule_match and a row here.
#pragma once

#include "policy/rules/decision.hpp"

#include <span>

namespace reauth {

/// What one operation of a request is held against.
struct match_subject {
    rule_place where;
    operation what;
    const challenge_facts* challenge = nullptr; ///< absent while there is none: a call before it is sent
};

/// What a key speaks of, and so when it can be judged.
enum class match_scope {
    place,     ///< upstream, principal and its groups: known before any request
    operation, ///< the JSON-RPC message
    challenge, ///< the upstream's answer
};

/// One key of `match:`.
struct match_key {
    std::string_view name;
    std::vector<std::string> rule_match::* wanted;
    match_scope of = match_scope::place;
    std::vector<std::string_view> words; ///< all that may stand there; empty: globs over anything
    /// Whether a rule that has this key matches; with `because`, where it is worth telling, what did it.
    bool (*matches)(const rule& r, const match_subject& subject, std::string& because);
};

/// All of them, in the order in which they are printed.
std::span<const match_key> match_keys();

/// Whether a glob of `match: {upstream}` names it: NAME@ACCOUNT is named by NAME, too.
bool names_upstream(std::string_view glob, std::string_view upstream);
/// Whether the rule names any key of that kind.
bool names(const rule_match& m, match_scope kind);
/// Whether it names none at all, and so matches everything.
bool matches_everything(const rule_match& m);
/// Whether the rule's keys of these kinds match; those of other kinds are not looked at.
bool matches(const rule& r, const match_subject& subject, std::initializer_list<match_scope> kinds,
             std::string& because);

} // namespace reauth
