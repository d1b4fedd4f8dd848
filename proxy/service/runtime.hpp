// The running program: workers, control thread, listeners; started, reloaded and stopped as one.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"
#include "proxy/net/task.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace reauth {

/// How clients get to it.
enum class server_role {
    listening, ///< `serve`: on the addresses of the configuration
    bridged,   ///< `stdio`: within this process, by connect(). Metrics are not served
};

/// One proxy in this process. Used by `serve`, `stdio`, the demo and integration tests.
class server {
public:
    explicit server(config settings, server_role role = server_role::listening);
    ~server();
    server(const server&) = delete;

    /// Opens the vault, binds every listener, starts the threads. On failure nothing keeps running.
    result<void> start();
    /// Ends requests in progress after `grace`, then cuts them; joins every thread. May be called twice.
    void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(0));
    /// Takes a new configuration for requests that begin from now on. Listeners, workers and vault stay as
    /// they are: the returned text names what needs a restart (empty: nothing).
    result<std::string> reload(config settings);

    /// A new connection of a client within this process, as on the main listener: a connected socket's
    /// descriptor, to be owned by who asked. On the thread of bridging().
    result<int> connect();
    /// Where bridges live: a thread of its own, beside the workers'.
    executor bridging() const;
    /// The upstream that it bridges is known to speak HTTP+SSE (MCP 2024-11-05): a first GET is held for a
    /// sign-in. Before the first connect().
    void expect_old_transport();

    /// credential_manager::on_step.
    void on_recovery_step(std::function<void(std::string_view)> hear);

    const config& settings() const;
    std::uint16_t listen_port() const;
    std::uint16_t approval_port() const;
    server_role role() const;
    /// Where the process that has the approval address asks this one; 0: it is this one.
    std::uint16_t neighbour_port() const;
    std::uint16_t metrics_port() const;
    std::string operator_token() const;
    /// A link that lets one browser into the dashboard, once.
    std::string dashboard_link();

    /// How many approvals wait for a person; `looked_at`: those that one has before the eyes, or is sent to
    /// the provider for.
    std::size_t open_approvals(bool looked_at) const;

    /// A count from /metrics by its name, for tests and the demo.
    std::uint64_t counter(const std::string& name) const;

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

struct serve_options {
    bool print_ready = true;
    /// Reads the configuration again, for SIGHUP and changed files; empty: no reload.
    std::function<result<config>()> reload;
};

/// Runs until SIGINT or SIGTERM. 0: ended as asked; 1: could not start.
int run_server(config initial, serve_options options);

} // namespace reauth
