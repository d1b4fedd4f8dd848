// Blocking vault work on a thread of its own, awaited from the control thread.
#pragma once

#include "core/base/histogram.hpp"
#include "proxy/net/task.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <utility>

namespace reauth {

class vault_thread {
public:
    explicit vault_thread(asio::io_context& control) : control_(control) {}
    ~vault_thread() { pool_.join(); }

    /// Runs f on the vault's thread, one at a time in the order of the calls, and gives its value back here.
    template<class F, class R = std::invoke_result_t<F&>>
    task<R> run(F f) {
        std::optional<R> value;
        auto work = [&] { value.emplace(f()); };
        const auto began = std::chrono::steady_clock::now();
        ++waiting_;
        co_await hop(work);
        --waiting_;
        took_.add(std::chrono::steady_clock::now() - began);
        if constexpr (requires { value->has_error(); })
            failures_ += value->has_error() ? 1 : 0;
        co_return std::move(*value);
    }

    /// How long work took, what it waited for other work among it.
    const histogram& took() const noexcept { return took_; }
    std::uint64_t failures() const noexcept { return failures_; }
    unsigned waiting() const noexcept { return waiting_; }

private:
    template<class Work>
    asio::awaitable<void, executor> hop(Work work) {
        return asio::async_initiate<const asio::use_awaitable_t<executor>&, void()>(
            [this, work = std::move(work)](auto handler) mutable {
                auto guard = asio::make_work_guard(control_);
                asio::post(pool_, [this, work = std::move(work), h = std::move(handler),
                                   guard = std::move(guard)]() mutable {
                    work();
                    asio::post(control_, std::move(h));
                });
            },
            use_task);
    }

    asio::io_context& control_;
    asio::thread_pool pool_{1};
    histogram took_;
    std::uint64_t failures_ = 0;
    unsigned waiting_ = 0;
};

} // namespace reauth
