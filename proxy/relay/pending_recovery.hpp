// What passes between a held request (on a worker) and the credential manager (on control).
#pragma once

#include "core/base/failure.hpp"
#include "core/mcp/json_rpc.hpp"
#include "core/oauth/challenge.hpp"
#include "policy/life/life_actions.hpp"
#include "proxy/net/wakeup.hpp"
#include "proxy/relay/issuer_keys.hpp"
#include "proxy/relay/routing.hpp"
#include "proxy/relay/snapshot.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// What recovery needs to know of a challenged request.
struct recovery_ask {
    request_target where;
    life::refusal what;
    std::optional<life::unsent_call> call = {}; ///< it was not sent yet: a person has to approve it first
    bool only_load = false; ///< nothing was refused: what the vault holds is to be in force before it is sent
    std::shared_ptr<const caller_token> token = {}; ///< that the caller has shown, where it is acted upon
    std::string trace = {};                         ///< the request's `traceparent`; empty: it has none
};

/// One waiting request. The fields are written and read on the worker's thread only; control posts its news
/// there.
class pending_recovery : public std::enable_shared_from_this<pending_recovery> {
public:
    pending_recovery(event_loop& worker, wakeup& waker, recovery_ask a)
        : ask(std::move(a)), worker_(worker), waker_(&waker) {}

    const recovery_ask ask;

    // worker side
    std::optional<recovery_verdict> verdict;
    std::string approval_link; ///< set once an approval waits
    std::string approval_id;
    std::string recovery;         ///< the id of its timeline, as far as it is known
    life::tell_waiting waits_for; ///< valid with approval_link
    bool attended = false;        ///< a page or browser is open for the approval
    /// Nobody waits any more; the flight goes on.
    void abandon() noexcept { waker_ = nullptr; }

    // control side
    life::request_id number = 0; ///< as the credential's life knows it; 0: not asked yet

    std::string recovery_id; ///< of its timeline
    std::string told_of;     ///< the approval that it was told to wait for

    // callable from any thread
    void somebody_looks() {
        worker_.post([self = shared_from_this()] {
            self->attended = true;
            self->wake();
        });
    }
    void approval_waits(life::tell_waiting what, std::string link, std::string recovery) {
        worker_.post([self = shared_from_this(), w = std::move(what), l = std::move(link),
                      r = std::move(recovery)]() mutable {
            self->recovery = std::move(r);
            self->approval_id = w.approval;
            self->approval_link = std::move(l);
            self->waits_for = std::move(w);
            self->wake();
        });
    }
    void finish(recovery_verdict v) {
        worker_.post([self = shared_from_this(), v = std::move(v)]() mutable {
            if (!self->verdict)
                self->verdict.emplace(std::move(v));
            self->wake();
        });
    }

private:
    void wake() {
        if (waker_)
            waker_->notify();
    }
    event_loop& worker_;
    wakeup* waker_;
};

/// Recovery as the data path sees it. All calls may come from any worker and return at once.
class recovery_service {
public:
    virtual ~recovery_service() = default;
    virtual void ask(std::shared_ptr<pending_recovery> held) = 0;
    virtual void abandon(std::shared_ptr<pending_recovery> held) = 0;
    /// The credential of this target is used and will expire soon.
    virtual void renew_ahead(request_target where, std::uint64_t generation,
                             std::shared_ptr<const caller_token> token) = 0;
    /// A call is sent that a rule with `observe: true` would have wanted approved.
    virtual void observed(request_target where, challenge_facts call) = 0;
    /// A caller's token is signed with a key that this worker does not have.
    virtual void want_keys(std::shared_ptr<keys_wanted> wanted) = 0;
};

} // namespace reauth
