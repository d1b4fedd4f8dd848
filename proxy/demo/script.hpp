// The demo's script: what the client does, what the story says, and the facts that are checked at the end.
#pragma once

#include "proxy/demo/http_client.hpp"
#include "proxy/demo/narrator.hpp"
#include "proxy/demo/person.hpp"
#include "proxy/demo/stage.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace reauth {

/// A claim the demo makes, and whether it held.
struct demo_claim {
    std::string what;
    bool held = false;
};

/// What came of the script. Counts are those of the servers and the client, not of the proxy.
struct demo_outcome {
    unsigned requests = 0, errors = 0, approvals = 0;
    std::uint64_t renewals = 0, refresh_reuses = 0, challenges_absorbed = 0;
    std::chrono::milliseconds longest_call{0}; ///< of the calls that no person was asked for
    std::vector<demo_claim> claims;
    bool ok() const;
    nlohmann::json to_json() const;
};

/// Plays the script against a running stage and proxy.
class demo_script {
public:
    demo_script(demo_stage& stage, demo_narrator& narrator, demo_person& person,
                const std::string& proxy_url);
    demo_outcome play();

private:
    struct actor {
        std::string name;
        demo_mcp_server* server;
        demo_client_session session;
        unsigned echoes = 0;
    };
    using duration = std::chrono::milliseconds;

    void connect(actor& who);
    void echo(actor& who, const std::string& note);
    void survive_expiries();
    void survive_revocation();
    void publish(actor& who);
    void judge();
    /// Token requests that replaced a token without a person.
    std::uint64_t renewals() const;
    void failed(const std::string& what, const failure& why);

    demo_stage& stage_;
    demo_narrator& narrator_;
    demo_person& person_;
    std::vector<actor> actors_;
    demo_outcome outcome_;
    std::uint64_t issued_with_person_ = 0; ///< enterprise: tokens minted while a person was asked
    std::uint64_t told_ = 0;               ///< renewals the story has mentioned; some happen between calls
    bool published_ = false;
};

/// The summary as a table.
void demo_print(const demo_outcome& outcome, bool enterprise, demo_narrator& narrator);

} // namespace reauth
