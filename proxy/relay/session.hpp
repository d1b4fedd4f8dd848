// One client connection: reads heads, admits and routes requests, answers what needs no upstream; the rest is
// an exchange.
#pragma once

#include "proxy/net/deadline.hpp"
#include "proxy/relay/admission.hpp"
#include "proxy/relay/body_pump.hpp"
#include "proxy/relay/downstream.hpp"

namespace reauth {

class answer_stream;
class exchange;

/// Lives on one worker; owned by its coroutine.
class session : public frame_pool::allocated {
public:
    session(worker& w, channel client, SSL_CTX* tls, const listener_identity& listener, std::string peer);
    ~session();

    /// Serves requests until the connection ends.
    loop_task<void> run(std::unique_ptr<session> self);
    /// End as soon as the request in progress is answered (who only listens to a stream is not waited for);
    /// `force`: at once.
    void stop(bool force);
    /// Of the request in progress; null: there is none.
    const caller* caller_in_progress() const noexcept { return busy() ? caller_.who.get() : nullptr; }
    /// Whoever called is known no more: a stream is cut, now or when the answer turns out to be one. What
    /// only waits for an answer gets it.
    void end_stream_of_caller();

    worker& home;
    const listener_identity& listener;
    const std::string& peer() const noexcept { return down_.peer(); }

private:
    friend class worker;
    enum class next { request, end };
    loop_task<bool> handshake();
    loop_task<next> read_head(head_outcome& outcome);
    loop_task<bool> serve();
    loop_task<void> send_out();
    void refuse(unsigned status, std::string_view message, bool close);
    bool answers_stranger(const routing_table& table, bool close);
    bool answers_itself(const routing_table& table, caller_check& whose, route_match& match, bool close);
    bool end_stream(pump_end how);
    /// A request is in progress.
    bool busy() const noexcept { return current_ || stream_; }
    bool only_listens() const noexcept;
    loop_task<void> linger();

    // who calls: session_caller.cpp
    const shown_certificate* certificate();
    caller_check look_for_caller(const std::shared_ptr<const routing_table>& table, std::size_t from);
    loop_task<verified_token> verify_caller(std::shared_ptr<const routing_table> table, std::size_t entry);
    loop_task<caller_check> verify_callers(std::shared_ptr<const routing_table> table, caller_check check);
    static void on_deadline(void* self);
    /// While the rest of a head is waited for, its beginning is kept in no more memory than it needs.
    void put_by();
    void take_back();

    std::unique_ptr<char[]> half_; ///< the beginning of a head
    std::uint32_t half_size_ = 0;
    downstream down_;
    exchange* current_ = nullptr;
    std::unique_ptr<answer_stream> stream_; ///< the answer that goes on
    struct {
        std::unique_ptr<shown_certificate> certificate; ///< null: none was shown, or it was not looked at yet
        bool certificate_read = false;
        caller_ptr who; ///< of the request in progress, to its end
        principal_turn turn;
    } caller_;
    unsigned crowded_ = 0; ///< connections of its peer when it came, itself included
    SSL_CTX* tls_;
    deadline deadline_;
    bool timed_out_ = false, stopping_ = false;
    bool caller_ended_ = false; ///< during the request in progress
    session *previous_ = nullptr, *next_ = nullptr;
};

} // namespace reauth
