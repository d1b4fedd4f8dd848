// Other processes of the same user whose approvals are shown at this process's address: one listener serves
// all. What it does not know itself it asks them for, side by side, each at a port of its own on loopback.
#pragma once

#include "core/base/secret.hpp"
#include "core/crypto/random.hpp"
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

    /// What they are told apart from strangers by is made of the operator token, which itself is never sent;
    /// and even that only to who has proved at its port that it has it too (operator_proof).
    neighbours(executor ex, const secret& operator_token, random_source random, list there);

    /// The address that is shared, as a Host field.
    void shared_at(std::string host) { host_ = std::move(host); }

    /// A request of one of them: it is answered by what this process itself knows. Only where neighbours
    /// ask: at the address that is everybody's such a request is nobody's (marked()).
    bool asks(const service_request& request) const;
    static bool marked(const service_request& request);
    /// What such a request presents in place of the operator token.
    const secret& token() const noexcept { return token_; }
    /// How this process proves itself at its own port.
    std::string proof(std::uint16_t port, std::string_view nonce) const;

    /// The answer of the first that knows what the request is about (any but 404), under a head of ours;
    /// nothing: none does. Who does not prove itself within a second is not waited for. `operated`: the
    /// operator token was presented, and was right.
    task<std::optional<service_response>> ask(service_request request, bool operated) const;
    /// The same for an event stream, passed on until either side ends. False: none knows it.
    task<bool> follow(service_exchange& x) const;
    /// Looks again at what they list at `/api/NAME`, at most once a second.
    task<void> look(std::string name);
    /// The members of such a list, as they were seen last.
    const nlohmann::json& seen(const std::string& name) const;

private:
    http_request request_to(std::uint16_t port, const service_request& request, bool operated) const;
    http_options options_for(std::uint16_t port) const;
    struct listed {
        nlohmann::json members = nlohmann::json::array();
        std::chrono::steady_clock::time_point at;
    };
    executor ex_;
    secret token_;
    std::string host_;
    random_source random_;
    list there_;
    http_client client_;
    std::map<std::string, listed> lists_;
};

/// What a neighbour has answered, as this process says it: the body with a head of our own. Of its fields
/// only those that the page needs are taken, each checked: what kind of text it is, the cookie that binds a
/// flow to a browser, where the browser goes next.
service_response own_answer(http_response from);

} // namespace reauth
