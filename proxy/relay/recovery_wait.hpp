// One request's wait for its credential, or for a person: it performs what policy/rules/wait_plan.hpp says is
// due.
#pragma once

#include "policy/rules/wait_plan.hpp"
#include "proxy/relay/client_answer.hpp"
#include "proxy/relay/client_message.hpp"
#include "proxy/relay/downstream.hpp"
#include "proxy/relay/pending_recovery.hpp"

#include <optional>

namespace reauth {

/// What a request has learned while it waited; its answer tells the client of it.
struct wait_news {
    std::string approval_link, approval_id; ///< empty: no approval waited
    std::string recovery;                   ///< the id of its timeline; empty: it was not held
    std::string reason;                     ///< why the upstream refused, as the policy calls it
    std::vector<std::string> required_scopes;
    bool fail_at_once = false; ///< the rule wants it answered with the link
    unsigned progress = 0;     ///< notifications that were sent for its token: they must rise
};

/// Owned by the exchange's coroutine; on the worker's thread.
class recovery_wait {
public:
    recovery_wait(downstream& down, client_answer& answer, const client_message& message,
                  const request_head& head, const request_target& where,
                  std::shared_ptr<pending_recovery> held, steady_clock::time_point request_began,
                  wait_news& news);

    /// Until the recovery is over: its verdict; nothing where the client is gone; a failure where the client
    /// is to be answered before that (overloaded, approval_required, approval_timeout, reauth_failed). The
    /// flight goes on all the same.
    loop_task<result<std::optional<recovery_verdict>>> run();

private:
    wait_situation situation() const;
    void take_news();
    void enter();
    void leave();
    failure ended_by(wait_course::due what) const;
    std::string heartbeat();

    downstream& down_;
    client_answer& answer_;
    const client_message& message_;
    const request_head& head_;
    const std::shared_ptr<pending_recovery> held_;
    const steady_clock::time_point request_began_;
    wait_news& news_;
    const unsigned most_waiters_;
    const std::uint64_t credential_;
    std::vector<std::string> keys_;
    wait_course course_;
    deadline wake_;
};

} // namespace reauth
