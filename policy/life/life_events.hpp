// What happens to a credential's life: the events it is told of. See credential_life.hpp.
#pragma once

#include "core/mcp/shown_call.hpp"
#include "core/oauth/challenge.hpp"
#include "policy/flows/authorization_flow.hpp"
#include "policy/flows/revocation_flow.hpp"
#include "policy/life/approval.hpp"
#include "policy/life/approval_record.hpp"
#include "policy/life/credential_binding.hpp"
#include "policy/rules/judgement.hpp"
#include "policy/rules/remembered_rule.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace reauth::life {

/// A piece of work that the life has asked for. Its end comes back with the same number.
using work_id = std::uint64_t;
/// A held request; given by whoever holds it.
using request_id = std::uint64_t;
/// Whoever waits for the answer to a command of a person (approve, login …); given by the caller.
using caller_id = std::uint64_t;
using server_ptr = std::shared_ptr<const discovered_server>;

/// A request that the upstream refused, or whose token is known to have expired.
struct refusal {
    parsed_challenge challenge;
    std::uint64_t sent_generation = 0; ///< of the credential that was refused; 0: none was sent
    std::uint64_t first_generation =
        0; ///< of the credential when the request began: newer ones were obtained for it
    std::vector<operation> operations;
    std::vector<std::string> groups; ///< of the caller
    std::string client_name;
    std::string arguments; ///< of the first tool call, for a person's eyes
    person_use person = person_use::may_ask;
    bool notice_only = false; ///< our own notice of expiry
    bool had_worked = false;  ///< … with the refused credential another request had been answered
    bool in_session = false;  ///< the request carried Mcp-Session-Id
};

/// What the vault holds for a life.
struct stored_state {
    std::optional<credential> value; ///< nothing: no record, or a tombstone
    std::uint64_t generation = 0;    ///< also of a tombstone
    std::string pinned_issuer;
    /// A process that has died, or was cut off, had begun to refresh this very credential: its refresh token
    /// is probably spent.
    bool interrupted = false;
    /// The authorization server has asked, whichever process, to be left alone until then.
    std::optional<time_point> not_before = {};
};

/// A call that waits to be sent (`action: approve`).
struct unsent_call {
    std::string digest; ///< call_digest()
    operation named;    ///< the message that the rule names
    shown_calls shown;  ///< for a person's eyes
    std::string target; ///< the URL that it is sent to
    std::string client_name;
    std::string rule;
    wait_settings wait;
};

// What workers and their requests say.
struct refused {
    request_id request;
    refusal what;
};
/// A request that a person has to approve before it is sent.
struct call_arrived {
    request_id request;
    unsent_call what;
};
struct withdrawn {
    request_id request;
};
/// The credential of this generation is used and will expire soon.
struct renewal_due {
    std::uint64_t generation;
};

// What persons and operators say.
struct approve_asked {
    caller_id caller;
    std::string approval;
    approver who = approver::link_holder;
    bool from_page = false;
    sign_in_method method = sign_in_method::as_configured;
    std::string by = {}; ///< who it is, for the audit; empty: not known
};
struct deny_asked {
    caller_id caller;
    std::string approval;
    std::string by = {}; ///< …
};
/// A login is wanted although no request waits: by the operator (who is asked at once, whatever was denied
/// before), or by another life (`for_life`: of an upstream that needs a session).
struct login_asked {
    caller_id caller;
    refusal what;
    bool for_life = false;
    std::string upstream; ///< shown on the approval; empty: the target's
};
/// `identity_ended`: it is not a person's wish: whoever waits is told so, and nobody is asked anew.
struct sign_out_asked {
    caller_id caller;
    bool identity_ended = false;
};
/// The provider came back for a flow that the vault knows and that is in its browser and in time.
struct callback_arrived {
    caller_id caller;
    pending_authorization pending;
    authorization_callback parameters;
    std::optional<std::string> browser_binding;
};

// How work ended.
struct discovered {
    work_id work;
    result<discovered_server> found;
};
struct locked {
    work_id work;
    result<void> won;
};
struct looked {
    work_id work;
    result<stored_state> found;
};
/// A flow that brings a credential: a silent step, or the redemption of a code.
struct flow_ended {
    work_id work;
    result<credential> fresh;
    /// Where and as whom it was obtained: what nobody wants any more is revoked there.
    server_ptr server = {};
    std::optional<registered_client> client = {};
    /// It was refused for scopes that it had not been registered with: it is registered anew, with them.
    bool register_scopes = false;
    bool client_unknown = false; ///< the server has forgotten our registration, which is dropped
    bool gone = false; ///< another process went on with the flow, or it was given up: it tells of its end
};
enum class store_result { saved, newer, failed };
struct stored {
    work_id work = 0;
    store_result is = store_result::saved;
    stored_state found; ///< newer: what is there
    failure why;        ///< failed
};
struct sign_in_begun {
    work_id work;
    result<begun_authorization> begun;
    server_ptr server = {}; ///< found for it, where none was known
};
struct binding_released {
    work_id work;
    result<void> done;
};
struct erased {
    work_id work;
    result<std::uint64_t> done; ///< the generation of the tombstone; 0: what is there is newer, and stays
};
struct revoked {
    work_id work;
    revocation_report done;
};
/// How take_call ended. true: this process may send the call, and nobody else; false: it was used or denied
/// elsewhere; a failure: the vault does not answer, and nothing may be sent.
struct call_taken {
    std::string approval;
    result<bool> ours;
};

// What others tell.
/// The identity behind it has ended, and another process buries what the vault holds.
struct identity_over {};
/// At the start, and when a life is taken up again after a reload.
struct loaded {
    stored_state state;
};
/// Another process stored something or signed out.
struct vault_changed {
    stored_state state;
};
/// An approval as the vault holds it: opened, sent to the provider or decided by another process, or by an
/// earlier run of this one.
struct remote_approval {
    approval_record now;
};
struct reconfigured {
    credential_binding now;
};
/// The upstream is not configured any more.
struct removed {};
/// A token from the configuration, or why there is none.
struct supplied {
    result<credential> token;
};
/// The other side says that this generation is dead and that renewal would not help.
struct found_dead {
    std::uint64_t generation;
};
/// The session at the identity provider that this credential is minted from.
struct session_changed {
    bool held = false, renewable = false, may_login = true;
    std::optional<time_point> expires_at;
};
/// The answer to ask_session: the approval that was opened there, or why none was.
struct session_asked {
    result<std::string> approval;
};
/// That approval ended, and no session came of it.
struct session_refused {
    failure why;
    bool again = false; ///< nobody said no: who waited is judged anew
};
/// What people have said once for all.
struct remembered {
    remembered_rules rules;
};
struct time_passed {};
/// The program ends: whoever waits is answered.
struct stopping {};

} // namespace reauth::life

namespace reauth {

using life_event =
    std::variant<life::refused, life::call_arrived, life::withdrawn, life::renewal_due, life::approve_asked,
                 life::deny_asked, life::login_asked, life::sign_out_asked, life::callback_arrived,
                 life::discovered, life::locked, life::looked, life::flow_ended, life::stored,
                 life::sign_in_begun, life::binding_released, life::erased, life::revoked, life::call_taken,
                 life::identity_over, life::loaded, life::vault_changed, life::remote_approval,
                 life::reconfigured, life::removed, life::supplied, life::found_dead, life::session_changed,
                 life::session_asked, life::session_refused, life::remembered, life::time_passed,
                 life::stopping>;

} // namespace reauth
