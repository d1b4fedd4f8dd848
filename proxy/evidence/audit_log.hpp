// The audit as it is written: a thread of its own, a file that several processes may share, rotation, the
// journal. Nothing is lost silently.
#pragma once

#include "conf/config.hpp"
#include "proxy/evidence/audit_line.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace reauth {

/// How it stands, for /readyz, /metrics and `audit verify`.
struct audit_state {
    std::uint64_t lines = 0; ///< written by this process
    std::uint64_t lost = 0;  ///< that found no room while the disk failed
    std::size_t waiting = 0; ///< not written yet
    std::string trouble;     ///< why; empty: it works
    audit_head head;
    std::string public_key;  ///< PEM; empty: lines are not signed
    std::string public_text; ///< … as a line has it
};

/// Reads the key of `audit.sign.key`, or makes it where its file is missing. Nothing: none is configured.
result<std::optional<signing_key>> audit_key(const audit_config& settings);

/// All members may be called from any thread.
class audit_log {
public:
    /// Opens, or begins, the file. A failure: it can't be written. `process`: who writes. `written` hears of
    /// each head that is on the disk, on the audit's thread.
    static result<std::unique_ptr<audit_log>> open(audit_config settings, std::string process,
                                                   std::function<void(const audit_head&)> written = {});
    ~audit_log();
    audit_log(const audit_log&) = delete;

    /// Written soon, in the order of the calls.
    void write(audit_event what);
    /// … and `done` hears of it once it is on the disk, on the audit's thread; a failure: it could not be,
    /// and what depends on it must not happen.
    void write(audit_event what, std::function<void(result<void>)> done);
    /// Another key from now on; the old one vouches for it.
    result<void> take_key();
    audit_state state() const;

private:
    struct item {
        audit_event what;
        std::function<void(result<void>)> done;
        std::optional<signing_key> next_key{};
    };
    struct sink;
    audit_log(audit_config settings, std::string process, std::function<void(const audit_head&)> written);
    void run();
    void begin_batch(std::deque<item>& batch);
    void end_batch(std::deque<item>& batch, const result<void>& done, std::uint64_t lost_told);
    void push(item one);
    result<void> write_batch(std::deque<item>& batch);
    bool sign_now(const item& one);
    void tell_key();

    const audit_config settings_;
    const std::string process_;
    const std::function<void(const audit_head&)> written_;
    std::unique_ptr<sink> sink_; ///< the thread's alone
    std::optional<signing_key> key_;
    std::uint64_t unsigned_ = 0;
    std::chrono::steady_clock::time_point signed_at_ = std::chrono::steady_clock::now();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<item> queue_;
    audit_state state_;
    std::uint64_t lost_untold_ = 0;
    std::optional<time_point> gap_since_; ///< nothing can be written since then
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace reauth
