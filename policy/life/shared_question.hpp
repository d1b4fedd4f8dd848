// A question that waits for a person, as all processes that share a vault know it: any of them shows it,
// decides it, and goes on with it.
#pragma once

#include "policy/life/approval.hpp"
#include "policy/rules/recovery_plan.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Everything that another process needs to take the question up where it stands.
struct shared_question {
    approval shown;
    bool session = false; ///< about a session at an identity provider
    std::string name;     ///< whose it is: the upstream's or the identity provider's
    std::string place;    ///< question_place: another process may give the name to another server
    scope_set login_scopes, silent_scopes;
    std::vector<recovery_step> silent; ///< `confirm`: run once a person agreed
    recovery_step person = recovery_step::login;
    bool step_up = false;
    std::string rule;
    std::uint64_t generation = 0;  ///< of the vault when it was opened: what is newer may answer it
    std::string resource_metadata; ///< where its authorization server was found
    secret pending_state;          ///< while authorizing: of the flow the person was sent to
    std::string redirect_uri;      ///< … and where that comes back
    std::optional<secret> browser_binding;
};

/// What a credential that comes of it is for: the URL, and the resource as configured.
std::string question_place(const std::string& url, const std::string& resource);

/// The question as it is for a process with this redirect URI: where the person was sent on a way that comes
/// back to another address (which may be gone), nobody has acted on it yet.
shared_question seen_from(shared_question q, const std::string& redirect_uri);

/// For the vault.
secret question_to_json(const shared_question& q);
/// fault::vault_unavailable if it is not what question_to_json wrote.
result<shared_question> question_from_json(const secret& text);

} // namespace reauth
