// What the desk knows of one (upstream, principal): the credential in force, who waits, what is being tried.
#pragma once

#include "core/registration.hpp"
#include "policy/decision.hpp"
#include "policy/denial.hpp"
#include "policy/discovery_flow.hpp"
#include "policy/recovery_plan.hpp"
#include "proxy/approval/approvals.hpp"
#include "proxy/relay/ticket.hpp"

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// A request at the desk.
struct waiting_ticket {
    std::shared_ptr<recovery_ticket> ticket;
    std::uint64_t arrived = 0; ///< desk's own count, to tell who shared a flight
    std::string approval;      ///< parked on this approval; empty: not parked
    bool asked = false;        ///< was parked before: a person was waited for
    bool idle = false;         ///< waits for whatever credential comes, without asking for one
};

/// A silent attempt that failed: everybody who had joined it shares its outcome.
struct failed_attempt {
    std::uint64_t generation = 0; ///< of the credential that was to be replaced
    std::string scopes;
    std::uint64_t finished = 0; ///< desk's count at its end
    failure why;
};

/// What an approval of ours is about.
struct open_question {
    std::shared_ptr<approval> shown;
    std::shared_ptr<const routing_table> table;
    const route* upstream = nullptr;
    std::size_t principal = 0;
    scope_set login_scopes, silent_scopes;
    std::vector<rung> silent; ///< `confirm`: to be run once a person agreed
    bool step_up = false;
    rung person = rung::login;
    std::optional<secret> browser_binding; ///< of the flow that was started on the page
    secret pending_state;                  ///< of the pending authorization, once started
    std::string rule;                      ///< of the policy that led here; for the audit
    bool mint_after = true;                ///< idp_login: what it was asked for needs no second question
    bool starting = false;                 ///< approve is being carried out
};

struct account {
    std::string upstream, principal;
    std::size_t slot = 0;

    snapshot_ptr current;
    std::uint64_t last_generation = 0;
    std::string pinned_issuer;
    std::optional<discovered_server> server;
    time_point discovered_at{};
    std::string discovered_from;          ///< resource_metadata of the challenge it was found with
    std::uint64_t doubted_generation = 0; ///< whose refusal before its time made us discover anew

    bool challenged_dpop = false; ///< what the upstream last challenged with
    bool challenged_bearer = true;

    bool busy = false;
    bool refresh_dead = false;       ///< the refresh token of `current` was refused for good
    std::optional<rung> obtained_by; ///< how `current` was obtained
    std::list<waiting_ticket> waiting;
    std::deque<failed_attempt> failures;            ///< the latest few
    std::map<std::string, open_question> questions; ///< by approval id
    denial_backoff denials;
    std::map<std::string, std::uint64_t> denied; ///< scopes of a login → desk's count when it was last denied

    std::string ruled_by; ///< the rule behind the recovery under way, for the audit
    std::optional<time_point> last_recovery_at;
    std::string last_recovery, last_outcome, last_detail;
};

} // namespace reauth
