// What a credential's life wants done, in the order in which it is to be done. See credential_life.hpp.
#pragma once

#include "policy/life/audit_line.hpp"
#include "policy/life/life_events.hpp"

namespace reauth {

/// What becomes of a request that was held for its credential.
struct recovery_verdict {
    enum class kind {
        replay, ///< it is sent again
        fail,   ///< it is answered with `why`
        relay,  ///< policy `pass`: the upstream's challenge is the client's business
    } is = kind::fail;
    failure why{};
    std::vector<std::string> required_scopes{}; ///< what it was refused for
    std::string reason{};                       ///< as the policy calls it
    bool person_waited = false;                 ///< replay: on a fresh connection
    bool loaded = false;          ///< replay: nothing was refused; what the vault holds is in force now
    bool same_credential = false; ///< replay: no recovery, but a pause that its server may have needed
    std::string recovery{};       ///< the id of its timeline; empty: there is none
};

} // namespace reauth

namespace reauth::life {

// Work: each ends with the event named behind it, which carries the same number.
/// → discovered
struct discover {
    work_id work;
    std::string resource_metadata, pinned_issuer;
};
/// → locked. Nobody else, in any process, recovers this credential until unlock.
struct lock {
    work_id work;
};
struct unlock {
    work_id work;
};
/// → looked
struct look {
    work_id work;
    std::string issuer;
    /// The lock is held: whoever had begun a refresh and can't be heard any more is waited for, for a while.
    bool under_lock = false;
};
/// → flow_ended
struct run {
    work_id work;
    recovery_step step;
    scope_set scopes;
    std::optional<credential> held;
    server_ptr server;
    bool challenged_dpop = false, challenged_bearer = true;
    std::string approval; ///< that a person confirmed; empty: none was asked for
};
/// → stored. `value` as generation value.generation, if the vault still holds `expected`; 0: or nothing.
struct store {
    work_id work;
    credential value;
    std::uint64_t expected = 0;
    bool pin = false; ///< a person (or trust) approved its issuer: from now on it is the one
};
/// What was stored for a question that ended meanwhile: put back what was there (nothing: a tombstone).
struct undo_store {
    credential unwanted;
    std::optional<credential> previous;
};
/// → sign_in_begun
struct begin_sign_in {
    work_id work;
    std::string approval;
    scope_set question; ///< the scopes that tell this question from others
    scope_set scopes;   ///< … and those that are asked for now
    server_ptr server;
    bool bind_to_browser = false;
    bool challenged_dpop = false, challenged_bearer = true;
    /// Where no server is known here yet: what to begin to look for it with.
    std::string resource_metadata = {}, pinned_issuer = {};
    sign_in_method method = sign_in_method::as_configured;
    std::string acr_values = {};                      ///< RFC 9470
    std::optional<std::chrono::seconds> max_age = {}; ///< …
    /// The provider refused what it had just issued until the person signs in again.
    bool prompt_login = false;
    /// A registration without `scope` turned out to be allowed nothing.
    bool register_scopes = false;
    /// There are several accounts, and the server has not refused to ask which (prompt=select_account).
    bool select_account = false;
};
/// → flow_ended. The person signs in on another device: the token endpoint is asked until that is done. One
/// process asks; where the flow is not in the vault any more, somebody else went on with it: `flow_is_gone`.
struct await_device {
    work_id work;
    secret state;
};
/// → binding_released. The operator carries the flow to another device.
struct release_binding {
    work_id work;
    secret state;
};
/// → flow_ended
struct redeem {
    work_id work;
    pending_authorization pending;
    authorization_callback parameters;
    std::optional<std::string> browser_binding;
};
/// → erased. Leaves a tombstone; forgets registrations and flows in progress of this life.
struct erase {
    work_id work;
    std::string issuer;
    std::uint64_t tombstone = 0; ///< its generation, if the vault holds nothing higher
    /// Also the pin, flows in progress and the registration: nothing has begun since.
    bool whole = true;
    /// Leave alone what has a higher generation than this; 0: erase whatever is there.
    std::uint64_t only_until = 0;
};
/// → revoked (RFC 7009); work 0: nobody waits for it, and it is kept instead where a credential of the same
/// issuer and client is in force elsewhere.
struct revoke {
    work_id work;
    credential value;
    server_ptr server; ///< what is known of its authorization server; may be of another issuer
    std::optional<registered_client> client = {}; ///< it was issued to; nothing: the one that is registered
    /// A sign-out: also what was kept for it (`retire`). `value` may be empty then.
    bool everything = false;
};
/// Not used any more, and not revoked before the sign-out: servers revoke by grant (RFC 7009 section 2.1), so
/// that the credential in force would end with it. Kept in the vault, sealed.
struct retire {
    credential value;
    std::optional<registered_client> client = {}; ///< as for revoke
};

/// → call_taken. Nobody else, in any process, may use this approval from then on.
struct take_call {
    std::string approval;
    approval_record as; ///< as this process knows it: approved
};

// Said to others at once.
/// The credential in force from now on; nothing: none.
struct publish {
    std::optional<credential> held;
    bool renewable = false;
};
/// An approval as it is now: opened, changed or ended.
struct show {
    approval now;
    /// For the vault, so that the other processes know. Nothing: the vault knows already.
    std::optional<approval_record> share = {};
};
/// A flow that will not be finished.
struct discard_pending {
    secret state;
    std::string approval; ///< that it belonged to
    /// A person went there, and it did not come back: the server may not know its client any more.
    bool refused = false;
};
/// A request was judged: for whoever keeps the record.
struct judged {
    request_id request = 0; ///< 0: a renewal ahead of time, or a login
    judgement_facts facts;
    judgement what;
};
/// The end of a held request.
struct answer : recovery_verdict {
    request_id request = 0;
};
/// time_passed is to come then, at the latest.
struct wake {
    time_point at;
};
/// A held request waits for this approval.
struct tell_waiting {
    request_id request;
    std::string approval;
    wait_settings wait;
    std::vector<std::string> required_scopes; ///< what it was refused for
    std::string reason;
    std::string trouble; ///< why the login could not be begun, and when it may be; empty: nobody has tried
};
struct answer_approve {
    caller_id caller;
    result<approve_answer> answer;
};
/// The approval of this wish is open in another life, or took the place of ours: it answers.
struct pass_on_approve {
    approve_asked wish;
};
struct answer_deny {
    caller_id caller;
    result<void> answer;
};
struct answer_callback {
    caller_id caller;
    callback_outcome answer;
};
/// The approval that was opened, or joined.
struct answer_login {
    caller_id caller;
    result<std::string> answer;
};
struct answer_sign_out {
    caller_id caller;
    result<revocation_report> answer;
};
/// A person has to sign in at the identity provider: → session_asked, then session_changed or
/// session_refused.
struct ask_session {
    refusal what;
    bool by_operator = false; ///< asked at once, whatever was denied before
};
/// An approval ended without what it was asked for: other lives may have waited for it.
struct approval_refused {
    std::string approval;
    failure why;
    bool again = false; ///< nobody said no: who waited may ask anew
};

} // namespace reauth::life

namespace reauth {

using life_action =
    std::variant<life::discover, life::lock, life::unlock, life::look, life::run, life::store,
                 life::undo_store, life::begin_sign_in, life::await_device, life::release_binding,
                 life::redeem, life::erase, life::revoke, life::retire, life::take_call, life::publish,
                 life::show, life::discard_pending, life::answer, life::wake, life::tell_waiting,
                 life::answer_approve, life::pass_on_approve, life::answer_deny, life::answer_callback,
                 life::answer_login, life::answer_sign_out, life::ask_session, life::approval_refused,
                 life::judged, life::audit>;
using life_actions = std::vector<life_action>;

} // namespace reauth
