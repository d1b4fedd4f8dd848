// What is left of a request whose answer goes on, for hours perhaps: two connections, and how far its body
// has come.
#pragma once

#include "proxy/net/frame_pool.hpp"
#include "proxy/relay/body_pump.hpp"
#include "proxy/relay/old_endpoint.hpp"
#include "proxy/relay/upstream_pool.hpp"
#include "proxy/relay/worker.hpp"

#include <optional>
#include <string>

namespace reauth {

/// What becomes of the upstream's connection at the end.
struct keep_promise {
    bool may = false; ///< the upstream keeps it
    unsigned seconds = 0;
};

/// Made by the exchange, whose work is done; owned by the session.
class answer_stream : public frame_pool::allocated {
public:
    struct request {
        request_target where;
        unsigned recoveries = 0;
        std::string approval;
        steady_clock::time_point began;
        bool keeps_client = false; ///< its connection can serve another request
        bool only_listens = false; ///< a GET: it is owed no answer, and its client opens another one
    };

    /// `so_far` has written what came with the head; `up` is what it reads from.
    answer_stream(request of, channel up, const body_pump& so_far, std::optional<endpoint_filter> endpoints,
                  keep_promise kept)
        : of_(std::move(of)), up_(std::move(up)), endpoints_(std::move(endpoints)), pump_(so_far, up_),
          kept_(kept) {
        if (endpoints_)
            pump_.through(*endpoints_);
    }
    answer_stream(const answer_stream&) = delete;

    /// The rest of the body, to the client.
    loop_task<pump_end> run() { return pump_.run(); }
    /// After its end: where the upstream's connection goes.
    void hand_back(worker& home) {
        if (kept_.may && pump_.leaves_connection_clean() && !up_.interrupted())
            home.keep(home.pool(*of_.where.to), std::move(up_), kept_.seconds);
        up_.close();
    }
    /// Ends the wait for more.
    void interrupt() { up_.interrupt(); }
    bool only_listens() const noexcept { return of_.only_listens; }
    bool keeps_client() const noexcept { return of_.keeps_client; }
    request_report report() const noexcept {
        return {of_.where, of_.recoveries, {}, of_.approval, of_.began};
    }

private:
    const request of_;
    channel up_;
    std::optional<endpoint_filter> endpoints_;
    body_pump pump_;
    const keep_promise kept_;
};

} // namespace reauth
