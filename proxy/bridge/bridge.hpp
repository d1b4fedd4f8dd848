// The MCP client that speaks for a program which knows standard input and output only: what it says becomes
// HTTP requests to the proxy's own data path, what comes back becomes lines. Recovery, replay and approvals
// are the data path's; here are sessions, streams and eras (MCP 2024-11-05 to 2026-07-28, transports).
#pragma once

#include "core/mcp/era_session.hpp"
#include "core/mcp/mcp_headers.hpp"
#include "core/mcp/sse.hpp"
#include "core/mcp/tool_filter.hpp"
#include "proxy/bridge/changes.hpp"
#include "proxy/bridge/client_call.hpp"
#include "proxy/bridge/line_output.hpp"
#include "proxy/bridge/reading_point.hpp"
#include "proxy/bridge/upstream_link.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace reauth {

/// Which of the two transports is spoken, and what is tried first (MCP 2025-11-25, transports, backwards
/// compatibility): Streamable HTTP, or HTTP+SSE of 2024-11-05.
enum class transport_order { http_first, sse_first, http_only, sse_only };

struct bridge_options {
    bool eras = false; ///< a server that speaks 2026-07-28 only is made understood (core/era_session)
    transport_order transport = transport_order::http_first;
    std::vector<std::string> ignored_tools = {}; ///< core/tool_filter
};

/// Lives on one executor; owned by a shared_ptr, which its coroutines hold.
class bridge : public std::enable_shared_from_this<bridge> {
public:
    /// `upstream`: its name, for errors.
    bridge(executor ex, std::string upstream, upstream_link link, std::shared_ptr<line_output> out,
           bridge_options options = {});

    /// A line of the client. `done` is called once it is out of our hands: sent, or refused.
    void take(std::string line, std::function<void()> done = {});
    /// A line that was too long to be kept, of the message with that id (empty: not known).
    void refuse_long_line(const std::string& id);
    /// The client has said all: returns when everything is answered, or it is that late. Ends the session.
    task<void> finish(std::chrono::steady_clock::time_point until);
    /// Nobody reads any more: everything under way ends.
    void drop_everything();

private:
    using call_ptr = std::shared_ptr<client_call>;
    using self_ptr = std::shared_ptr<bridge>;
    struct held_line {
        std::string text;
        std::function<void()> done;
    };

    // bridge.cpp: what the client says, in the order in which it may go
    void admit(held_line line);
    void apply(era_outcome what, std::function<void()> done);
    static task<void> listen_again(self_ptr self);
    void look_at(held_line line);
    void begin_call(rpc_body messages, held_line line);
    void post_later(held_line line, bool initialized);
    bool withdraw(const rpc_message& cancelled);
    void release();
    static task<void> ask(self_ptr self, call_ptr call, std::function<void()> done);
    task<bool> try_once(call_ptr call);
    static task<void> post_in_turn(self_ptr self);
    task<bool> post_notice(std::string text, bool initialized);
    task<void> await_stream();
    void end_call(client_call& call);
    void pass(std::string_view message);
    void hear(std::string message);

    // bridge_answers.cpp: what the upstream says
    task<void> read_answer(call_ptr call, std::unique_ptr<http_stream> answer);
    task<void> follow(call_ptr call, std::unique_ptr<http_stream> answer);
    task<result<void>> pump(http_stream& stream, call_ptr call, reading_point& at);
    void deliver(std::string text, const call_ptr& call);
    void fail(client_call& call, const failure& why);
    void refuse(client_call& call, unsigned status, const std::string& body);
    void answer_all(client_call& call, const std::function<std::string(const std::string& id)>& text);

    // bridge_session.cpp: sessions, and the stream of what belongs to no request
    http_request request_for(const client_call& call) const;
    http_request session_request(std::string method) const;
    void learn_session(const http_response& head);
    void learn_version(const std::string& answer);
    bool may_mean_lost(unsigned status) const;
    task<bool> refused_in_session(call_ptr call, std::uint64_t epoch, unsigned status, std::string body);
    task<result<void>> renew(std::uint64_t lost);
    task<result<void>> begin_again();
    void keep_wish(const rpc_message& request, const std::string& line);
    task<void> say_again(std::string line);
    task<result<void>> open_session(call_ptr opening);
    static task<void> listen(self_ptr self, std::uint64_t epoch);
    task<bool> rest(std::chrono::milliseconds pause);

    // bridge_old.cpp: HTTP+SSE (2024-11-05)
    task<bool> try_old_transport(call_ptr call);
    static task<void> read_old_stream(self_ptr self, std::unique_ptr<http_stream> stream,
                                      std::shared_ptr<client_run> run);
    void lose_old_stream();

    executor ex_;
    const std::string upstream_;
    upstream_link link_;
    const std::shared_ptr<line_output> out_;
    const transport_order transport_;
    std::optional<era_session> era_;
    std::optional<tool_filter> filter_;
    tool_headers tools_;

    upstream_session session_;
    std::set<std::string> no_loss_;        ///< refusals (status and body) that did not mean a lost session
    bool speaks_old_ = false;              ///< the server knows HTTP+SSE only
    std::string endpoint_;                 ///< there: where messages go; empty: its stream is not open
    bool was_stateless_ = false;           ///< the client has spoken 2026-07-28
    std::string initialize_, initialized_; ///< the client's own, for another session
    std::map<std::string, std::string> wishes_; ///< … and what else it holds there: subscriptions, log level
    bool renewing_ = false;
    std::optional<failure> not_renewed_; ///< why the last attempt failed

    std::deque<held_line> held_;    ///< not looked at yet: the handshake comes first
    std::deque<held_line> notices_; ///< notifications and responses, sent one after the other
    bool blocked_ = false, posting_ = false, ending_ = false, dropped_ = false;
    std::map<std::string, call_ptr> waiting_; ///< by id
    std::size_t running_ = 0;                 ///< requests on their way
    std::shared_ptr<client_run> stream_run_, notice_run_;
    changes changed_;
    loop_timer pause_;              ///< of the stream that is opened again
    unsigned listened_in_vain_ = 0; ///< streams of changes that ended, in a row
    unsigned lost_in_vain_ = 0;     ///< sessions that the server's stream has lost, in a row
};

} // namespace reauth
