// A login at the provider, there and back: the flow begins, a person goes there and comes back (or the token
// endpoint is asked, RFC 8628), and the code becomes the credential in force.
#pragma once

#include "policy/life/approval_set.hpp"
#include "policy/life/session_link.hpp"

namespace reauth {

class sign_in {
public:
    sign_in(life_desk& desk, credential_state& state, server_search& servers, approval_set& approvals,
            const session_link& session, switchboard& board)
        : desk_(desk), state_(state), servers_(servers), approvals_(approvals), session_(session),
          board_(board) {}

    /// A person agrees: answered with where to go, or once it is done.
    void approve(const life::approve_asked& e);
    void on(const life::sign_in_begun& e);
    void on(const life::binding_released& e);
    void on(const life::callback_arrived& e);
    // false: none of ours
    bool on(const life::flow_ended& e);
    bool on(const life::stored& e);
    void stopping();

private:
    void give_location(approval_request& q, const life::approve_asked& who);
    void begin(approval_request& q, const life::approve_asked& who);
    approval_request& taken_up(const pending_authorization& flow);
    void device_ended(approval_request& q, const life::flow_ended& e);
    void redeemed(approval_request& q, const life::flow_ended& e);
    void redemption_failed(approval_request& q, const life::flow_ended& e);
    void try_once_more(approval_request& q, const failure& why, const std::string& detail);
    void store(approval_request& q, credential fresh);
    void stored(approval_request& q, const life::stored& e);
    void done(approval_request& q, bool saved);
    callback_outcome told_at_end(const approval_request& q) const;
    std::string lack_of_refresh_token() const;
    void report_failure(life::happening how, const approval_request& q, const failure& why);

    life_desk& desk_;
    credential_state& state_;
    server_search& servers_;
    approval_set& approvals_;
    const session_link& session_;
    switchboard& board_;
    bool register_scopes_ = false; ///< the next registration names scopes
    bool knows_no_choice_ = false; ///< the server takes no prompt=select_account
    std::map<life::work_id, life::approve_asked> releasing_;
};

} // namespace reauth
