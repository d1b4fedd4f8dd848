// One request on its way: attach, send, look at the answer, relay it, or recover and replay. The phases of
// docs/architecture.md.
#pragma once

#include "core/answer_events.hpp"
#include "core/http_body.hpp"
#include "policy/wait_plan.hpp"
#include "proxy/relay/connector.hpp"
#include "proxy/relay/session.hpp"

namespace reauth {

/// Owned by the coroutine that serves the request; talks to nothing but its session, its upstream connection
/// and the credential manager.
class exchange {
public:
    exchange(session& s, std::shared_ptr<const routing_table> table, route_match match,
             std::size_t principal);
    ~exchange();

    /// To the end of the request; true if the client connection may serve another.
    task<bool> run();
    /// Wakes whatever upstream I/O is waited for (the client is gone, a deadline has passed).
    void interrupt();
    /// Its client only listens to a stream that has begun: it is owed no answer, and opens another one.
    bool only_listens() const noexcept { return is_get_ && sent_downstream_; }

private:
    enum class outcome {
        relayed,     ///< the client has its answer
        challenged,  ///< `challenge_` is set and nothing was sent downstream
        redirected,  ///< `target` was replaced: send again
        nonce,       ///< a DPoP nonce was asked for: send again
        broken,      ///< no usable answer: `why_`
        client_gone, ///< nobody to answer
        cut,         ///< the answer broke off in the middle
    };

    // before anything is sent: exchange_gate.cpp
    task<bool> pass_gate();
    std::string_view body_payload(std::string& store) const;

    // phase 3: exchange.cpp
    task<bool> attach();
    void note_renewal(const credential_snapshot& held);
    std::string_view credential_lines();

    // phase 4: exchange_send.cpp
    task<outcome> attempt();
    task<bool> obtain_connection();
    task<bool> fill_body();
    task<bool> upload();
    task<bool> read_body_some(bool forwarding);
    void take_body(std::string_view& input);
    void take_buffered_body();
    task<void> finish_body();
    bool record_room(std::size_t more);
    void drop_record();
    void build_request_head();
    std::string kept_cookies() const;
    void keep_cookies();
    static void on_early_answer(void* self);

    // phase 5: exchange_answer.cpp
    task<outcome> read_answer();
    task<bool> read_answer_head();
    void learn_from_answer();
    task<void> collect_small_body();
    bool follow_redirect();
    task<outcome> relay_answer();
    task<outcome> relay_body(body_scanner scanner, bool payload_only, bool keep_client);
    void finish_upstream(bool reusable);

    // phases 6 to 9: exchange_recovery.cpp
    task<bool> recover();
    recovery_ask make_ask();
    task<bool> wait_for_verdict(std::shared_ptr<held_request> held);
    task<bool> keep_waiting(held_request& held);
    void follow_plan(const held_request& held);
    std::string client_name() const;
    std::string first_arguments() const;
    bool event_stream_accepted() const;
    bool old_stream_client() const;
    bool owed_nothing() const;
    task<bool> stream_write(std::string text);
    task<bool> pass_to_client();
    task<bool> begin_stream();
    std::string held_key(const std::string& id) const;

    // phase 10: exchange_finish.cpp
    task<bool> fail(failure why);
    void parse_messages();
    void log_outcome(const failure& why) const;

    // … in a stream that was begun before: exchange_reframe.cpp
    task<outcome> relay_into_stream();
    task<result<bool>> pass_events(answer_events& events);
    task<outcome> end_stream(const answer_events* events, failure why);
    rpc_error_data error_data(const failure& why) const;

    bool replayable() const noexcept { return body_whole_ && !sent_downstream_; }
    std::string_view body_view() const noexcept;
    bool has_request_id() const;
    bool cancels_held_request();
    static void on_deadline(void* self);
    static void on_wake(void* self);

    session& s_;
    worker& w_;
    const target where_;
    std::string_view rest_, query_;
    steady_clock::time_point began_;

    // what the client sent
    body_scanner upload_scanner_;
    bool body_in_buffer_ = false;    ///< the body lies in memory->in behind the head
    bool body_read_ = false;         ///< the client has sent all of it
    bool body_whole_ = true;         ///< we still have all of it
    bool body_broken_ = false;       ///< its chunked framing is malformed: a 400
    std::size_t recorded_extra_ = 0; ///< counted in shared_limits::replay_bytes
    std::size_t consumed_ = 0;       ///< bytes of memory->in that belong to this request
    bool is_head_ = false, is_get_ = false, client_keeps_ = false, old_client_ = false;

    // what is going on upstream
    snapshot_ptr credential_;
    std::string dpop_lines_, injected_;
    channel up_;
    std::unique_ptr<connector> connecting_;
    bool reused_ = false, fresh_only_ = false, upload_done_ = false, early_answer_ = false,
         up_timed_out_ = false, filling_ = false;
    bool got_answer_bytes_ = false, identity_only_ = false, pass_ = false;
    unsigned redirects_ = 0, nonces_ = 0, attempts_ = 0;
    std::uint64_t first_generation_ = 0, pre_recovered_ = 0;
    parsed_challenge challenge_;
    unsigned challenge_status_ = 0;
    std::vector<std::string> challenge_lines_; ///< its WWW-Authenticate values as they came, for `pass`
    failure why_;
    std::string reason_;
    std::vector<std::string> required_scopes_;
    deadline deadline_;

    // what the client got
    bool sent_downstream_ = false; ///< bytes of the upstream's answer
    bool streaming_ = false;       ///< our own 200 SSE head is out
    bool messages_parsed_ = false;
    rpc_body messages_;
    std::string approval_link_, approval_id_;
    unsigned progress_ = 0;

    // how the wait for a person is experienced
    waiting_kind class_ = waiting_kind::other;
    bool approval_seen_ = false, fail_at_once_ = false, attended_ = false;
    bool no_stream_ = false; ///< the answer is 405: there is no stream to be had
    steady_clock::time_point stream_at_{}, beat_at_{}, give_up_at_{};
    deadline wake_;
};

} // namespace reauth
