// The demo's stage: authorization server, MCP servers (and identity provider) on a thread of their own, the
// proxy's configuration, and ports that are free.
#pragma once

#include "conf/config.hpp"
#include "proxy/demo/authorization_server.hpp"
#include "proxy/demo/identity_provider.hpp"
#include "proxy/demo/mcp_server.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace reauth {

/// A port of 127.0.0.1 that nobody listens on: `wanted`, or any other if that is taken.
std::uint16_t demo_free_port(std::uint16_t wanted);

/// A directory that goes with its owner.
class demo_directory {
public:
    demo_directory();
    ~demo_directory();
    demo_directory(const demo_directory&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// Everything but the proxy. All servers listen on loopback.
class demo_stage {
public:
    explicit demo_stage(bool enterprise);
    ~demo_stage();
    demo_stage(const demo_stage&) = delete;
    result<void> start();

    /// The proxy's configuration as YAML. `second_upstream` adds one that nobody has signed in to.
    std::string yaml(std::uint16_t listen_port, std::uint16_t approval_port, bool second_upstream) const;
    /// The same, read. State goes to a temporary directory, the vault to memory.
    result<config> proxy_config(std::uint16_t listen_port, std::uint16_t approval_port,
                                bool second_upstream) const;

    asio::io_context io{1};
    std::unique_ptr<demo_authorization_server> authorization;
    std::unique_ptr<demo_identity_provider> idp; ///< enterprise only
    std::vector<std::unique_ptr<demo_mcp_server>> servers;
    bool enterprise = false;

private:
    asio::executor_work_guard<executor> work_{io.get_executor()};
    demo_directory directory_;
    std::thread thread_;
};

} // namespace reauth
