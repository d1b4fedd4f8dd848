// Start, end, and what is in between.
#include "proxy/stdio/run.hpp"

#include "proxy/bridge/bridge.hpp"
#include "proxy/log/log.hpp"
#include "proxy/service/process.hpp"
#include "proxy/stdio/page_only.hpp"
#include "proxy/stdio/standard_input.hpp"
#include "proxy/stdio/standard_output.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <functional>
#include <future>
#include <thread>

namespace reauth {
namespace {

/// From the end of the input to the end of the program.
constexpr std::chrono::seconds patience{4}, patience_when_told{1};

/// Why it ends.
enum class ending { input, output, told };

/// The bridge with its streams; everything but construction, flush() and destruction happens on the executor.
class conversation {
public:
    conversation(executor ex, std::string upstream, upstream_link link, const stdio_options& options)
        : ex_(ex), out_(options.output, ex, [this] { end(ending::output); }),
          talk_(std::make_shared<bridge>(ex, std::move(upstream), std::move(link),
                                         std::shared_ptr<line_output>(std::shared_ptr<void>(), &out_),
                                         options.bridging)),
          in_(std::make_shared<standard_input>(
              options.input, ex, [this](auto lines) { take(std::move(lines)); },
              [this] { end(ending::input); })) {
        asio::post(ex, [in = in_] { in->start(); });
    }

    void end(ending why) {
        const auto now = std::chrono::steady_clock::now();
        if (why == ending::output || std::exchange(ending_, true)) {
            in_->stop();
            talk_->drop_everything();
            if (!std::exchange(over_told_, true))
                over_.set_value();
            return;
        }
        why_ = why;
        until_ = now + (why == ending::told ? patience_when_told : patience);
        asio::co_spawn(ex_, finish(), asio::detached);
    }
    void wait() {
        over_.get_future().wait();
        out_.flush(until_);
    }

private:
    void take(std::vector<message_lines::line> lines) {
        for (auto& line : lines) {
            if (line.too_long) {
                talk_->refuse_long_line(line.id);
                continue;
            }
            const auto size = line.text.size();
            talk_->take(std::move(line.text), [in = in_, size] { in->dealt_with(size); });
        }
    }
    task<void> finish() {
        if (why_ == ending::told)
            in_->stop();
        co_await talk_->finish(until_);
        if (!std::exchange(over_told_, true))
            over_.set_value();
    }

    executor ex_;
    std::promise<void> over_;
    bool over_told_ = false, ending_ = false;
    ending why_ = ending::input;
    std::chrono::steady_clock::time_point until_;
    standard_output out_;
    std::shared_ptr<bridge> talk_;
    std::shared_ptr<standard_input> in_;
};

} // namespace

int run_stdio(config settings, stdio_options options) {
    start_log(settings.log);
    forbid_dumps();
    for (const auto& w : settings.warnings)
        log_event(log_level::warn, "configuration", {{"message", w}});
    const auto& up = settings.upstreams.front();
    const auto name = up.name, path = up.path;
    options.bridging.eras = up.era == era_mode::bridge;
    server proxy(std::move(settings), server_role::bridged);
    auto started = proxy.start();
    if (!started) {
        log_event(log_level::error, "cannot start", {{"message", started.error().describe()}});
        return 1;
    }
    using order = transport_order;
    if (options.bridging.transport == order::sse_only || options.bridging.transport == order::sse_first)
        proxy.expect_old_transport();
    const auto note = options.found ? leave_note(proxy) : nullptr;
    const auto ex = proxy.bridging();
    let_go_of_start();
    if (options.page_only) {
        keep_page(proxy);
        proxy.stop();
        return 0;
    }
    {
        conversation talk(ex, name, upstream_link(ex, [&proxy] { return proxy.connect(); }, path), options);
        asio::io_context signals{1};
        asio::signal_set ending_signals(signals, SIGINT, SIGTERM);
        std::function<void()> hear = [&] {
            ending_signals.async_wait([&](error_code failed, int) {
                if (failed)
                    return;
                asio::post(ex, [&talk] { talk.end(ending::told); });
                hear();
            });
        };
        hear();
        std::thread listening([&signals] { signals.run(); });
        talk.wait();
        signals.stop();
        listening.join();
        leave_page_behind(proxy);
        proxy.stop();
    }
    return 0;
}

} // namespace reauth
