// Other processes of the same user whose approvals are shown at this process's address: one listener serves
// all. What it does not know itself it asks them for, each at a port of its own on loopback.
#pragma once

#include "core/secret.hpp"
#include "proxy/net/http_client.hpp"
#include "proxy/net/http_service.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// Used on its executor.
class neighbours {
public:
    /// The ports of those that are there now; empty function: there never are any.
    using list = std::function<std::vector<std::uint16_t>()>;

    /// What they are told apart from strangers by is made of the operator token, which itself is never sent.
    /// `host`: the address that is shared, as a Host field.
    neighbours(executor ex, const secret& operator_token, std::string host, list there);

    /// A request of one of them: it is answered by what this process itself knows.
    bool asks(const service_request& request) const;
    /// What such a request presents in place of the operator token.
    const secret& token() const noexcept { return token_; }

    /// The answer of the first that knows what the request is about (any but 404); nothing: none does.
    /// `operated`: the operator token was presented, and was right.
    task<std::optional<service_response>> ask(service_request request, bool operated) const;
    /// The same for an event stream, passed on until either side ends. False: none knows it.
    task<bool> follow(service_exchange& x) const;
    /// Looks again at what they list at `/api/NAME`, at most once a second.
    task<void> look(std::string name);
    /// The members of such a list, as they were seen last.
    const nlohmann::json& seen(const std::string& name) const;

private:
    http_request request_to(std::uint16_t port, const service_request& request, bool operated) const;
    struct listed {
        nlohmann::json members = nlohmann::json::array();
        std::chrono::steady_clock::time_point at;
    };
    secret token_;
    std::string host_;
    list there_;
    mutable http_client client_;
    std::map<std::string, listed> lists_;
};

} // namespace reauth
