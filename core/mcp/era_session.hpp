// A client of the 2025 revisions before a server that speaks 2026-07-28 only (MCP 2026-07-28, "Versioning":
// the pair that has no way to each other). What either says becomes what the other understands. Pure:
// messages in, messages out.
#pragma once

#include "core/mcp/era_json.hpp"
#include "core/mcp/json_rpc.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reauth {

/// What is to be said, in this order.
struct era_outcome {
    std::vector<std::string> to_client;
    /// Whole messages; requests carry all that they need in `_meta`.
    std::vector<std::string> to_server;
    /// The stream of changes has ended: listen() gives what opens it again, after a while.
    bool listen_again = false;
};

/// One client's session. Until the server has said what it speaks, the client's `initialize` waits; with a
/// server of its own era it then gets through as it is, and so does everything after.
class era_session {
public:
    /// `upstream`: what the server is called where it does not say.
    explicit era_session(std::string upstream) : upstream_(std::move(upstream)) {}

    era_outcome from_client(const std::string& message);
    era_outcome from_server(const std::string& message);
    /// The request that opens the stream of changes; nothing where there is nothing to hear.
    std::optional<std::string> listen();

    /// `initialize` waits for what the server says of itself.
    bool probing() const noexcept { return state_ == state::probing; }

private:
    enum class state : unsigned char {
        fresh,   ///< no `initialize` yet
        probing, ///< `server/discover` is under way
        legacy,  ///< the server speaks the client's era: nothing is changed
        modern,
    };
    /// A request of the client that the server has answered with questions.
    struct round {
        era_json request;                 ///< as the client has sent it
        era_json answers;                 ///< so far, by the server's key
        std::set<std::string> missing;    ///< keys
        std::optional<std::string> state; ///< the server's requestState, byte for byte
    };

    void from_client_one(const era_json& parsed, const std::string& message, era_outcome& out);
    void discover(const era_json& initialize, era_outcome& out);
    void discovered(const era_json& answer, era_outcome& out);
    void request(era_json message, era_outcome& out);
    bool answered_here(const era_json& message, era_outcome& out);
    void notification(const era_json& message, era_outcome& out);
    void client_answer(const era_json& message, era_outcome& out);
    void server_answer(era_json message, era_outcome& out);
    void ask_client(const era_json& answer, era_outcome& out);
    void ask_again(round r, era_outcome& out);
    void give_up(const era_json& id, const std::string& why, era_outcome& out);
    era_json stamped(era_json request) const;
    bool may_ask(const std::string& method, const era_json& params) const;

    const std::string upstream_;
    state state_ = state::fresh;
    era_json initialize_;              ///< the client's own
    era_json capabilities_;            ///< the server's
    std::string log_level_;            ///< of logging/setLevel
    std::set<std::string> subscribed_; ///< URIs of resources
    std::map<std::string, era_json>
        calls_; ///< requests at the server: id, as JSON text, to the client's message
    std::map<std::string, round> rounds_; ///< by the same
    std::map<std::string, std::pair<std::string, std::string>>
        asked_;                                  ///< our requests to the client: id to round and key
    std::map<std::string, unsigned> rounds_had_; ///< by request
    std::uint64_t next_ = 0;                     ///< numbers our own requests
    std::string listening_;                      ///< id of the stream of changes; empty: none is open
    bool initialized_ = false;
};

} // namespace reauth
