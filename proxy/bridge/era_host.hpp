// The MCP server (Streamable HTTP with sessions) that clients of the 2025 revisions meet before an upstream
// with `era: bridge`: behind each session is a bridge, as behind the client of `stdio`.
#pragma once

#include "core/base/secret.hpp"
#include "proxy/bridge/upstream_link.hpp"
#include "proxy/net/http_service.hpp"

#include <memory>
#include <string>

namespace reauth {

/// Serves the data path of its own process alone, on loopback: who does not present `key` in the field
/// `key_field` finds nothing here. Lives on one executor.
class era_host {
public:
    static constexpr auto key_field = "X-Mcp-Reauth-Era";

    /// `connect`: the way back into the data path, where the requests of bridges go. `key` is random.
    era_host(executor ex, upstream_link::connector connect, secret key);
    ~era_host();
    era_host(const era_host&) = delete;

    /// Binds any port; from any thread.
    result<std::uint16_t> listen();
    /// On the executor's thread: every session ends.
    void stop();
    const secret& key() const noexcept;

private:
    struct parts;
    std::shared_ptr<parts> parts_;
};

} // namespace reauth
