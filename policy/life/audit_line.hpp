// One line of the audit: what happened, how, and with which end.
#pragma once

#include "core/base/failure.hpp"
#include "core/oauth/scope.hpp"
#include "policy/rules/recovery_plan.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth::life {

/// What happened. Its word stands in the log and in the history.
enum class happening {
    // recoveries
    refresh,
    client_credentials,
    jwt_bearer,
    token_exchange,
    enterprise_mint,
    static_token,
    another_process, ///< had renewed it meanwhile
    discovery,
    // decisions
    denied,        ///< by a person
    call_approved, ///< by a person, and sent
    policy,        ///< a rule answers
    final_answer,  ///< nothing can help, for a minute
    bound_elsewhere,
    issuer_changed,
    rule_remembered,
    rule_revoked,
    // sign-ins
    login,
    step_up,
    idp_login,
    device_login,
    // sign-outs
    logout,
    logout_elsewhere,
    identity_ended, ///< by the company, or an operator
    // the vault
    look,
    store,
};
std::string_view to_string(happening h) noexcept;
/// The step as it is reported.
happening happening_of(recovery_step step) noexcept;

/// Every recovery, decision, sign-in and sign-out, whether it worked or not.
struct audit {
    enum class kind { recovery, decision, sign_in, sign_out, storage };
    happening how = happening::refresh;
    std::string rule, approval, detail;
    std::string client; ///< who asked, as it calls itself; empty: nobody, or not known
    scope_set scopes;
    std::optional<failure> why; ///< nothing: it worked
    std::string by = {};        ///< who decided: a principal, or "operator"; empty: nobody, or not known

    kind what() const noexcept;
};
/// "recovery", "decision", "sign_in", "sign_out", "storage".
std::string_view to_string(audit::kind k) noexcept;

} // namespace reauth::life
