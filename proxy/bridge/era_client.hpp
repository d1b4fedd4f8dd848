// One client's session at the era host: what its bridge says goes out by the stream that waits for it.
#pragma once

#include "core/mcp/json_rpc.hpp"
#include "proxy/bridge/bridge.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace reauth {

/// An answer that is open: of a POST, until everything that it asked for is answered, or of the session's
/// GET.
struct open_answer {
    explicit open_answer(executor ex) : timer(ex) {}
    std::set<std::string> missing; ///< ids, as JSON text; empty for the GET
    bool of_session = false;       ///< the GET's: it is over when the session or its client is
    std::set<std::string> tokens;  ///< progress tokens, as JSON text
    bool takes_events = true;      ///< it may be a stream
    std::deque<std::string> waiting;
    loop_timer timer; ///< who serves it sleeps on it

    void say(std::string message) {
        waiting.push_back(std::move(message));
        timer.cancel();
    }
    std::string take() {
        auto first = std::move(waiting.front());
        waiting.pop_front();
        return first;
    }
    /// All of them as one body: one message, or a batch (MCP 2025-03-26).
    std::string take_all();
};

/// Used on one executor.
class era_client final : public line_output {
public:
    era_client(executor ex, std::string id, std::string whose)
        : id(std::move(id)), whose(std::move(whose)), drained_(ex) {}

    void write(std::string_view line) override;
    bool full() const override { return bytes_ > much && !gone_; }
    task<void> room() override;
    /// What is kept for a stream that nobody has opened.
    std::size_t kept() const noexcept { return waiting_bytes_; }
    static constexpr std::size_t most_kept = 1u << 20; ///< bytes of it

    void opened(const std::shared_ptr<open_answer>& post) { posts_.push_back(post); }
    void closed(const std::shared_ptr<open_answer>& post);
    /// What has waited for a stream of the session goes there.
    bool open_stream(const std::shared_ptr<open_answer>& stream);
    void close_stream() { stream_.reset(); }
    /// A message has gone out.
    void sent(std::size_t bytes);
    void end();
    bool idle() const noexcept { return posts_.empty() && !stream_; }
    bool over() const noexcept { return gone_; }

    const std::string id;
    const std::string whose;        ///< the Authorization that it came with: nobody else's requests are taken
    std::shared_ptr<bridge> behind; ///< until the end: each holds the other
    std::chrono::steady_clock::time_point used = std::chrono::steady_clock::now();

private:
    static constexpr std::size_t much = 4u << 20, most_waiting = 256;
    open_answer* place_for(const rpc_message& message);
    void keep(std::string_view message);

    std::vector<std::shared_ptr<open_answer>> posts_;
    std::shared_ptr<open_answer> stream_;
    std::deque<std::string> waiting_; ///< for a stream of the session: the newest, as far as they fit
    std::size_t waiting_bytes_ = 0;
    std::size_t bytes_ = 0; ///< that wait in open answers
    bool gone_ = false;
    changes drained_;
};

} // namespace reauth
