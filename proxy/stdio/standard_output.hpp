// What the client hears, line by line: standard output, written on a thread of its own, since it may be
// anything, and whoever reads it may be slow.
#pragma once

#include "proxy/bridge/changes.hpp"
#include "proxy/bridge/line_output.hpp"
#include "proxy/net/task.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace reauth {

/// Used on its executor's thread.
class standard_output final : public line_output {
public:
    /// So many bytes may wait before it counts as full.
    static constexpr std::size_t much = 4u << 20;

    /// `broken` is called on `ex`, once, when nobody reads any more.
    standard_output(int descriptor, executor ex, std::function<void()> broken);
    /// Stops; what was not read is dropped.
    ~standard_output() override;
    standard_output(const standard_output&) = delete;

    void write(std::string_view line) override;
    bool full() const override;
    task<void> room() override;
    /// Waits until all is written, not longer than until then. From another thread than the executor's.
    void flush(std::chrono::steady_clock::time_point until);

private:
    void run();
    bool write_all(std::string_view text);
    std::size_t write_at_once(std::string_view text) const;
    bool wait_for_reader() const;

    const int descriptor_;
    int stop_event_;
    executor ex_;
    const std::function<void()> broken_;
    const std::size_t at_once_; ///< what a pipe that is ready takes without blocking
    mutable std::mutex mutex_;
    std::condition_variable work_, written_;
    std::string waiting_, line_;
    std::size_t unwritten_ = 0;
    bool stopping_ = false, gone_ = false;
    changes drained_;
    std::thread thread_;
};

} // namespace reauth
