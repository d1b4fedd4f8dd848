// Blocking vault work on a thread of its own, awaited from the control thread.
#pragma once

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
        co_await hop(work);
        co_return std::move(*value);
    }

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
};

} // namespace reauth
