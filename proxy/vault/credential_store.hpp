// The vault in the words of recovery: credentials, issuer pins, registrations, pending authorizations, IdP
// sessions.
#pragma once

#include "core/oauth/credential.hpp"
#include "core/oauth/identity_end.hpp"
#include "core/oauth/registration.hpp"
#include "policy/flows/idp_session.hpp"
#include "policy/flows/pending_authorization.hpp"
#include "policy/life/approval_record.hpp"
#include "policy/life/life_events.hpp"
#include "policy/rules/remembered_rule.hpp"
#include "proxy/vault/vault.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// A credential and whose it is.
struct held_credential {
    std::string principal, upstream;
    credential held;
};

/// An IdP session and whose it is.
struct held_session {
    std::string principal;
    idp_session held;
};

/// A refresh that was begun.
struct refresh_mark {
    bool session = false;
    std::string principal, name;
    std::uint64_t generation = 0; ///< whose refresh token it spends
    std::string by;               ///< the process
};

/// Tokens that are not used any more and that a sign-out revokes, with the client they were issued to where
/// we had registered it.
struct retired_credential {
    credential value;
    std::optional<registered_client> client;
};

/// What one process wrote of a timeline.
struct timeline_part {
    std::string id, process;
    secret text{}; ///< JSON
};

/// Whether an event was heard of before, by any process.
enum class event_hearing {
    first,
    under_way, ///< somebody acts upon it now, or has died over it a short while ago
    done
};

/// Typed access to a vault, under the vault's threading rule. Every failure is fault::vault_unavailable;
/// everything that is stored is durable when the call returns.
class credential_store {
public:
    /// The vault must outlive the store.
    explicit credential_store(vault& records) : vault_(records) {}

    /// What is there: the credential, or only the generation of one that was erased.
    result<life::stored_state> find_credential(const std::string& principal, const std::string& upstream,
                                               const std::string& issuer);
    /// Stores under value.issuer if the vault holds no higher generation than `expected`; else what is there.
    /// One transaction: with `pin` its issuer is the approved one from then on, and no refresh is under way
    /// any more.
    result<std::optional<life::stored_state>> store_credential(const std::string& principal,
                                                               const std::string& upstream,
                                                               const credential& value,
                                                               std::uint64_t expected, bool pin = false);
    /// Leaves a tombstone of at least that generation, and says of which. With `only_until` whatever has a
    /// higher generation than that is left alone: 0.
    result<std::uint64_t> erase_credential(const std::string& principal, const std::string& upstream,
                                           const std::string& issuer, std::uint64_t tombstone,
                                           std::uint64_t only_until = 0);
    /// Of one principal, or of all.
    result<std::vector<held_credential>> credentials(const std::string& principal = {});

    /// The issuer that a person approved for an upstream.
    result<std::optional<std::string>> pinned_issuer(const std::string& principal,
                                                     const std::string& upstream);
    result<void> pin_issuer(const std::string& principal, const std::string& upstream,
                            const std::string& issuer);
    result<void> unpin_issuer(const std::string& principal, const std::string& upstream);

    /// Every client that we have registered there for the upstream: one per redirect URI, and those that a
    /// credential was issued to. An empty issuer: wherever we have registered for it.
    result<std::vector<registered_client>> registrations(const std::string& issuer,
                                                         const std::string& upstream);
    /// Stores under client.issuer and its client_id.
    result<void> store_registration(const std::string& upstream, const registered_client& client);
    /// An empty client_id: all of them.
    result<void> erase_registration(const std::string& issuer, const std::string& upstream,
                                    const std::string& client_id = {});

    /// Kept until an hour after it expires, so that a late callback can be told why it fails.
    result<void> store_pending(const pending_authorization& pending);
    result<std::optional<pending_authorization>> find_pending(std::string_view state);
    /// Forgets those of one upstream or identity provider.
    result<void> discard_pendings(const std::string& principal, const std::string& name);
    /// For one caller only.
    result<std::optional<pending_authorization>> take_pending(std::string_view state);

    /// The same three for the session at an identity provider.
    result<life::stored_state> find_session(const std::string& principal,
                                            const std::string& identity_provider);
    result<std::optional<life::stored_state>>
    store_session(const std::string& principal, const idp_session& session, std::uint64_t expected);
    result<std::uint64_t> erase_session(const std::string& principal, const std::string& identity_provider,
                                        std::uint64_t tombstone, std::uint64_t only_until = 0);
    result<std::vector<held_session>> sessions();

    /// Before a refresh is sent: `by` (a process) spends the token of this generation. Until something is
    /// stored, or ended_refresh. A session's name is its identity provider's.
    result<void> began_refresh(const refresh_mark& mark);
    result<void> ended_refresh(const refresh_mark& mark);
    /// What was begun and, as far as the vault knows, never ended.
    result<std::optional<refresh_mark>> refresh_under_way(bool session, const std::string& principal,
                                                          const std::string& name);

    /// The authorization server wants no request for this credential before `until` (RFC 9110
    /// section 10.2.3).
    result<void> postpone(bool session, const std::string& principal, const std::string& name,
                          time_point until);
    /// Nothing: it has not asked for that, or the time is over.
    result<std::optional<time_point>> postponed(bool session, const std::string& principal,
                                                const std::string& name);

    /// Keeps tokens for the sign-out of an upstream, or (`session`) an identity provider: at most
    /// `retired_kept` for each, the newest.
    static constexpr std::size_t retired_kept = 32;
    result<void> retire(bool session, const std::string& principal, const std::string& name,
                        const retired_credential& what, time_point now);
    result<std::vector<retired_credential>> retired(bool session, const std::string& principal,
                                                    const std::string& name);
    result<void> forget_retired(bool session, const std::string& principal, const std::string& name);

    /// An open question as all processes know it. Stores it unless another one is open for the same
    /// (approval_key), or a person has decided about this one meanwhile: then that one. Only a `fresh` one
    /// takes a place that is free: the change of one that the vault does not hold any more comes too late.
    result<std::optional<approval_record>> store_approval(const approval_record& now, time_point at,
                                                          bool fresh);
    result<std::vector<approval_record>> approvals();
    result<std::optional<approval_record>> find_approval(const std::string& key);
    static std::string approval_key(const approval_record& q);
    /// Uses up the approval of one call (`as`: approved). true: the caller, and nobody else, may send it.
    result<bool> take_call(approval_record as, time_point at);

    /// A one-time link to the dashboard, by the digest of its secret: taken once, at whichever process.
    result<void> keep_page_link(const std::string& digest, time_point until);
    result<bool> take_page_link(const std::string& digest);

    /// What people have said once for all, oldest first.
    result<std::vector<remembered_rule>> rules();
    result<void> store_rule(const remembered_rule& rule);
    /// false: there was none.
    result<bool> erase_rule(const std::string& id);

    /// Who has ended, for 32 days: by then no token of before is good any more. identity_store.cpp
    result<void> store_identity_end(const ended_identity& e);
    result<std::vector<ended_identity>> identity_ends();
    /// By the record's key, as it is told by vault::changes.
    result<std::optional<ended_identity>> find_identity_end(const std::string& key);
    /// An event with that `jti` is heard of: by this process for the first time, and then it has until
    /// `until` to act upon it; or by another before.
    result<event_hearing> hear(const std::string& issuer, const std::string& id, time_point until);
    /// It was acted upon.
    result<void> heard(const std::string& issuer, const std::string& id, time_point until);
    /// It could not be acted upon: it may come again.
    result<void> unhear(const std::string& issuer, const std::string& id);

    // timeline_store.cpp: what happened, in parts that each process writes by itself
    result<void> store_timelines(const std::vector<timeline_part>& parts, time_point until);
    /// All parts of one.
    result<std::vector<timeline_part>> timeline_parts(const std::string& id);
    /// The last parts, the last one first; those that come before that one, where it is given.
    result<std::vector<timeline_part>> last_timelines(const std::optional<timeline_part>& before,
                                                      std::size_t most);
    result<void> keep_last_timelines(std::size_t kept);
    /// How far the audit of that name has come, as a line of it says; nothing: not known.
    result<void> store_audit_head(const std::string& log, const std::string& head);
    result<std::vector<std::string>> audit_heads();

    vault& records() noexcept { return vault_; }

private:
    vault& vault_;
};

/// Parts as one key: separated by a space, in each part space, % and control characters percent-encoded, so
/// that no two lists of parts share a key.
std::string joined_key(const std::vector<std::string_view>& parts);
/// The parts again; nothing if `key` was not made by joined_key.
std::optional<std::vector<std::string>> split_key(std::string_view key);

} // namespace reauth
