// One request on its way: attach, send, look at the answer, relay it, or recover and replay. The phases of
// docs/architecture.md; what each phase needs stands in a class of its own.
#pragma once

#include "core/mcp/answer_events.hpp"
#include "proxy/relay/answer_stream.hpp"
#include "proxy/relay/body_pump.hpp"
#include "proxy/relay/body_upload.hpp"
#include "proxy/relay/client_answer.hpp"
#include "proxy/relay/client_message.hpp"
#include "proxy/relay/downstream.hpp"
#include "proxy/relay/old_endpoint.hpp"
#include "proxy/relay/recovery_wait.hpp"
#include "proxy/relay/replay_body.hpp"
#include "proxy/relay/request_watch.hpp"
#include "proxy/relay/upstream_call.hpp"

namespace reauth {

/// Owned by the coroutine that serves the request; talks to nothing but its client's side, its upstream
/// connection and the credential manager.
class exchange {
public:
    exchange(downstream& down, std::shared_ptr<const routing_table> table, route_match match,
             const caller& who);
    ~exchange();
    exchange(const exchange&) = delete;

    /// To the end of the request; true if the client connection may serve another.
    loop_task<bool> run();
    /// After run(): what is left to be relayed, where the answer goes on; nothing where it is over.
    std::unique_ptr<answer_stream> rest() noexcept { return std::move(rest_of_answer_); }
    /// Valid after run().
    request_report report() const noexcept { return {where_, attempts_, failed_, news_.approval_id, began_}; }
    /// Wakes whatever upstream I/O is waited for (the client is gone).
    void interrupt() { up_.interrupt(); }
    /// Its client only listens to a stream that has begun: it is owed no answer, and opens another one.
    bool only_listens() const noexcept { return is_get_ && answer_.begun(); }

private:
    /// How a step ended. A failure in its place is what the client gets as its answer.
    enum class outcome {
        resend,      ///< send the request (again): nothing of an answer is out
        answered,    ///< the client has its answer
        goes_on,     ///< … its beginning, and rest() has what is left
        challenged,  ///< `heard_` is set, and nothing of the answer was passed on
        client_gone, ///< nobody to answer
        cut,         ///< the answer broke off in the middle, and so must ours
    };

    // phase 3: exchange.cpp
    enum class attached {
        ready,
        load_first,  ///< what the vault holds for the caller is not known yet
        renew_first, ///< it has expired for sure, and can be renewed
    };
    attached attach();
    void renew_ahead(const credential_snapshot& held);
    std::string_view credential_lines();

    // phase 4: exchange_send.cpp
    loop_task<result<outcome>> attempt();
    void build_request_head();
    bool cancels_held_request();
    loop_task<result<outcome>> answer_cancelled();
    result<outcome> after_silence();

    // phase 5: exchange_answer.cpp
    loop_task<result<outcome>> take_answer();
    void learn_from_answer();
    bool hear_challenge();
    loop_task<result<outcome>> after_challenge();
    bool follow_redirect();

    // … challenges that are no 401: exchange_look.cpp
    enum class redirect {
        none,       ///< as it is, relayed
        follow,     ///< with body and credential: it stays below what was asked for
        dead_token, ///< a login page, perhaps: the credential is renewed once
        refuse,     ///< within the origin, and yet elsewhere: an error says so
        elsewhere,  ///< of another origin: left to the client
    };
    redirect judge_redirect() const;
    failure redirect_failure() const;
    loop_task<result<outcome>> take_redirect(redirect what);
    loop_task<std::string> look_ahead(std::size_t most);
    loop_task<bool> hear_result_challenge();
    bool hear_configured_challenge();
    loop_task<void> tell_of_hidden_challenge();
    loop_task<void> drain_answer();
    bool begin_answer(body_pump& pump, endpoint_filter* endpoints);
    void let_go_on(const body_pump& pump, std::optional<endpoint_filter> endpoints);
    loop_task<result<outcome>> relay_rest(body_pump& pump);
    old_stream_place old_stream() const;
    bool tells_endpoint() const;
    void hand_back(const body_pump& pump);
    std::string_view first_bytes() const;

    // phases 6 to 9: exchange_recovery.cpp
    loop_task<result<outcome>> load_first();
    loop_task<result<outcome>> recover_ahead();
    loop_task<result<outcome>> recover();
    loop_task<result<outcome>> wait(std::shared_ptr<pending_recovery> held);
    std::shared_ptr<pending_recovery> hold(recovery_ask ask);
    result<std::shared_ptr<pending_recovery>> hold_for_challenge();
    std::optional<failure> why_not_held(recovery_ask& ask);
    loop_task<result<outcome>> pass_to_client(failure why);
    std::shared_ptr<const caller_token> token_of_caller() const;
    recovery_ask make_ask();
    std::string client_name() const;
    void tell_recovery(std::string& out) const;
    bool owed_nothing() const;

    // before anything is sent, where the policy wants calls approved: exchange_gate.cpp
    loop_task<result<outcome>> pass_gate();

    // phase 9 in a stream that was begun before the answer came: exchange_reframe.cpp
    loop_task<result<outcome>> relay_into_stream();
    loop_task<result<outcome>> end_stream(const answer_events* events, failure why);

    // phase 10: exchange_finish.cpp
    loop_task<bool> fail(failure why);
    std::string error_answer(const failure& why);
    rpc_error_data error_data(const failure& why) const;
    void log_outcome(const failure& why) const;

    const request_head& head() const noexcept { return down_.memory()->head; }
    void begin_watch();
    void name_span();
    void add_trace(request_rewrite& rewrite);
    bool replayable() const noexcept { return body_.complete() && !answer_.begun(); }
    void read_message() { message_.read(head(), body_); }

    downstream& down_;
    worker& w_;
    const caller& who_; ///< the session holds it
    const request_target where_;
    const std::string_view rest_; ///< of the request's path, behind the upstream's prefix
    const steady_clock::time_point began_;
    const bool is_head_, is_get_, old_client_; ///< old: HTTP/1.0
    const bool old_stream_;                    ///< the stream of HTTP+SSE (MCP 2024-11-05), as far as is seen
    bool pass_;                                ///< the client's own credential goes up
    const bool gated_;                         ///< a rule wants calls approved before they are sent

    phase_clock clock_;
    replay_body body_;
    body_upload upload_;
    client_message message_;
    client_answer answer_;
    upstream_call up_;

    // what is sent
    snapshot_ptr credential_;
    std::string dpop_lines_, injected_, replaced_;
    std::unique_ptr<request_watch> watch_; ///< null: nothing is measured
    bool fresh_only_ = false;              ///< on a connection of its own
    unsigned redirects_ = 0, nonces_ = 0, attempts_ = 0;
    std::uint64_t first_generation_ = 0, renewed_ahead_ = 0; ///< of the credential; 0: none

    // what came back
    struct refusal {
        parsed_challenge challenge;
        unsigned status = 0;
        bool is_page = false;           ///< a redirect in its place: no word that a person could be asked for
        std::vector<std::string> lines; ///< its WWW-Authenticate values as they came, for `pass`
    } heard_;
    keep_promise kept_;
    std::unique_ptr<answer_stream> rest_of_answer_;
    wait_news news_;
    std::optional<fault> failed_; ///< of the answer that the client got from us
    bool page_seen_ = false;      ///< a redirect in place of a challenge: the credential was renewed for it
    std::string page_seen_at_;    ///< where it leads, for a message
    bool no_stream_ = false;      ///< the answer is 405: there is no stream to be had
};

} // namespace reauth
