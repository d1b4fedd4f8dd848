// An approval as it is kept: the state of one approval_request, and what the processes that share a vault
// know of it. Any of them shows it, decides it, and goes on with it.
#pragma once

#include "policy/life/approval.hpp"
#include "policy/rules/recovery_plan.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Everything that is needed to take the approval up where it stands.
struct approval_record {
    approval shown;
    bool session = false; ///< about a session at an identity provider
    std::string name;     ///< whose it is: the upstream's or the identity provider's
    std::string place;    ///< binding_place: another process may give the name to another server
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

    /// A person agrees, and the rest is silent (`confirm`).
    bool confirms() const noexcept { return !silent.empty(); }
    /// Both ask a person for the same, in the same way (RFC 9470 included).
    bool asks_the_same(const approval_record& other) const;
    /// Whoever grants this has granted `other` too.
    bool asks_for_more(const approval_record& other) const;
    /// The person was sent to a provider: the flow that `told` knows is the one.
    void take_flow(const approval_record& told);
    /// Nobody is under way to a provider for it any more.
    void forget_flow();
};

/// What a credential that comes of it is for: the URL, and the resource as configured.
std::string binding_place(const std::string& url, const std::string& resource);

/// The record as it is for a process with this redirect URI: where the person was sent on a way that comes
/// back to another address (which may be gone), nobody has acted on it yet.
approval_record seen_from(approval_record r, const std::string& redirect_uri);

/// For the vault.
secret record_to_json(const approval_record& r);
/// fault::vault_unavailable if it is not what record_to_json wrote.
result<approval_record> record_from_json(const secret& text);

} // namespace reauth
