// `confirm`: a person agrees first, and the rest is silent; where the identity provider's session has turned
// out to be gone, with a login there.
#pragma once

#include "policy/life/approval_set.hpp"
#include "policy/life/renewal.hpp"
#include "policy/life/session_link.hpp"

namespace reauth {

class confirmation {
public:
    confirmation(life_desk& desk, const credential_state& state, server_search& servers,
                 approval_set& approvals, renewal& flight, const store_retry& unsaved, session_link& session)
        : desk_(desk), state_(state), servers_(servers), approvals_(approvals), flight_(flight),
          unsaved_(unsaved), session_(session) {}

    /// Confirmed approvals take their turn when no other silent work is under way.
    void start();
    /// The silent work that `end.approval` confirmed is over.
    void flight_ended(const life::ended_flight& end);
    /// Nobody knows whom to ask.
    void server_missing(const failure& why);
    void session_came();
    void session_waits(const std::string& approval);
    void session_refused(const failure& why);

private:
    void pass_on(approval_request& q, const std::string& approval);

    life_desk& desk_;
    const credential_state& state_;
    server_search& servers_;
    approval_set& approvals_;
    renewal& flight_;
    const store_retry& unsaved_;
    session_link& session_;
};

} // namespace reauth
