// The way from the bridge to the proxy's data path: connections inside this process.
#pragma once

#include "core/http/http_message.hpp"
#include "core/text/uri.hpp"
#include "proxy/net/http_stream.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace reauth {

/// Deadlines are the data path's affair: here nothing has one.
inline constexpr auto no_deadline = (std::chrono::steady_clock::time_point::max)();

/// Used on its executor's thread.
class upstream_link {
public:
    /// A connected stream socket's descriptor, to be owned by who asked; the failure: the proxy is going.
    using connector = std::function<result<int>()>;

    /// `target`: the upstream's path (and query) at the proxy; `with`: fields of every request.
    upstream_link(executor ex, connector connect, std::string target, std::vector<header_field> with = {});

    /// A request that can be stopped from outside (`run->stop()`) while it lasts.
    std::shared_ptr<client_run> begin() const;
    /// The answer's head, whatever the status. `target`: where a message is sent that belongs elsewhere than
    /// to the upstream's own URL; empty: there. upstream_unreachable, upstream_malformed.
    task<result<std::unique_ptr<http_stream>>> open(std::shared_ptr<client_run> run, http_request request,
                                                    std::string target = {});
    /// Of an answer that is not wanted any more: its connection, if it can be, serves another request.
    void give_back(std::unique_ptr<http_stream> answer);

private:
    static constexpr std::size_t most_idle = 8;
    result<std::shared_ptr<client_socket>> connection();
    executor ex_;
    connector connect_;
    http_url url_;
    std::vector<header_field> with_;
    std::vector<std::shared_ptr<client_socket>> idle_;
};

bool is_event_stream(const http_response& head);

/// The whole body, its content coding undone, at most `cap` bytes. Besides what reading can fail with,
/// fault::upstream_malformed.
task<result<std::string>> read_whole(http_stream& answer, std::size_t cap);

} // namespace reauth
