// What passes between a held request (on a worker) and the recovery desk (on control).
#pragma once

#include "core/challenge.hpp"
#include "core/failure.hpp"
#include "core/json_rpc.hpp"
#include "policy/rules.hpp"
#include "proxy/net/wakeup.hpp"
#include "proxy/relay/routing.hpp"
#include "proxy/relay/snapshot.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// What the desk needs to know about a challenged request.
struct recovery_ask {
    std::shared_ptr<const routing_table> table; ///< the configuration the request began with
    const route* upstream = nullptr;            ///< into `table`
    std::size_t principal = 0;                  ///< index into config::client_auth, 0 without
    parsed_challenge challenge;
    std::uint64_t sent_generation = 0; ///< of the credential that was refused; 0: none was sent
    std::uint64_t first_generation =
        0; ///< of the credential when the request began: newer ones were obtained for it
    std::vector<rpc_message> messages; ///< of the body; empty if it has none or is not JSON-RPC
    std::string client_name;
    bool may_ask_person = true; ///< false: waits for somebody else's approval but starts none
    bool renew_only = false;    ///< our own notice that the token has expired: no upstream answer behind it
};

/// The desk's answer.
struct recovery_verdict {
    enum class kind { replay, fail, relay } is = kind::fail; ///< relay: policy `pass`
    failure why;
    std::vector<std::string> required_scopes;
    std::string reason;
    bool person_waited = false; ///< replay on a fresh connection
};

/// One waiting request. The fields are written and read on the worker's thread only; control posts its news
/// there.
class recovery_ticket : public std::enable_shared_from_this<recovery_ticket> {
public:
    recovery_ticket(executor worker, wakeup& waker, recovery_ask a)
        : ask(std::move(a)), worker_(worker), waker_(&waker) {}

    const recovery_ask ask;

    // worker side
    std::optional<recovery_verdict> verdict;
    std::string approval_link; ///< set once an approval waits
    std::string approval_id;
    wait_settings wait; ///< of the rule that matched; valid with approval_link
    /// Nobody waits any more; the flight goes on.
    void abandon() noexcept { waker_ = nullptr; }

    // control side: callable from any thread
    void approval_waits(std::string id, std::string link, wait_settings settings) {
        asio::post(worker_, [self = shared_from_this(), i = std::move(id), l = std::move(link),
                             w = settings]() mutable {
            self->approval_id = std::move(i);
            self->approval_link = std::move(l);
            self->wait = w;
            self->wake();
        });
    }
    void finish(recovery_verdict v) {
        asio::post(worker_, [self = shared_from_this(), v = std::move(v)]() mutable {
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
    executor worker_;
    wakeup* waker_;
};

/// The desk as the data path sees it. All calls may come from any worker and return at once.
class recovery_service {
public:
    virtual ~recovery_service() = default;
    virtual void ask(std::shared_ptr<recovery_ticket> ticket) = 0;
    virtual void abandon(std::shared_ptr<recovery_ticket> ticket) = 0;
    /// The credential of this slot is used and will expire soon.
    virtual void renew_ahead(std::shared_ptr<const routing_table> table, const route* upstream,
                             std::size_t principal, std::uint64_t generation) = 0;
};

} // namespace reauth
