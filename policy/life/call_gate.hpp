// Calls that a person approves before they are sent (`action: approve`): a machine without sockets and clock
// for one (principal, upstream). Events in, actions out, as with credential_life. An approval is bound to the
// digest of its call, lets exactly one request pass, and expires; the vault decides which process may send.
#pragma once

#include "core/crypto/random.hpp"
#include "core/mcp/shown_call.hpp"
#include "policy/life/life_actions.hpp"
#include "policy/rules/denial.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace reauth {

namespace gate {

/// A request that waits to be sent.
struct call {
    std::string digest; ///< call_digest()
    operation named;    ///< the message that the rule names
    shown_calls shown;  ///< for a person's eyes
    std::string target; ///< the URL that it is sent to
    std::string client_name;
    std::string rule;
    wait_settings wait;
};

/// What came of the attempt to use an approval.
enum class taken { yes, no };

// Events.
struct arrived {
    life::request_id request;
    call what;
};
struct withdrawn {
    life::request_id request;
};
/// How `take` ended; a failure: the vault does not answer, and nothing may be sent.
struct take_ended {
    std::string approval;
    result<taken> how;
};

// Actions.
/// → take_ended. Nobody else, in any process, may use this approval from then on.
struct take {
    std::string approval;
    shared_question as; ///< as this process knows it: approved
};

using event = std::variant<arrived, withdrawn, take_ended, life::approve_asked, life::deny_asked,
                           life::question_news, life::time_passed, life::stopping>;
using action = std::variant<take, life::show, life::answer, life::tell_waiting, life::answer_approve,
                            life::answer_deny, life::audit>;
using actions = std::vector<action>;

/// Whose calls they are, as life::target.
struct target {
    std::string principal = "local", upstream, url, resource, host;
    std::chrono::milliseconds lifetime{15 * 60 * 1000};
};

} // namespace gate

/// What an approval is bound to: whose call, where it goes (`target`: a URL), and everything in it that
/// matters (core/mcp/tool_call.hpp, call_content::canonical). SHA-256, base64url.
std::string call_digest(std::string_view principal, std::string_view upstream, std::string_view target,
                        std::string_view canonical);

class call_gate {
public:
    /// At most so many calls wait at once.
    static constexpr std::size_t calls_at_once = 20;

    call_gate(gate::target whose, random_source random);

    /// One step. Never blocks, never throws for what comes from outside.
    gate::actions on(const gate::event& event, time_point now);
    const gate::target& whose() const noexcept { return target_; }
    void reconfigure(gate::target now) { target_ = std::move(now); }

private:
    enum class phase { pending, approved, taking };
    struct open_call {
        approval shown;
        phase is = phase::pending;
        std::string rule;
        std::optional<life::request_id> request; ///< nothing: its client has given up
        gate::call what;                         ///< of that request
    };

    void handle(const gate::arrived& e);
    void handle(const gate::withdrawn& e);
    void handle(const gate::take_ended& e);
    void handle(const life::approve_asked& e);
    void handle(const life::deny_asked& e);
    void handle(const life::question_news& e);
    void handle(const life::time_passed& e);
    void handle(const life::stopping& e);
    open_call* unclaimed(const std::string& digest);
    void open(life::request_id request, const gate::call& what);
    void attach(open_call& c, life::request_id request, const gate::call& what);
    void take(open_call& c);
    void show(const open_call& c, bool share = true);
    void end(const std::string& id, approval_status status, std::string outcome, const failure& why,
             bool share);
    void refuse(life::request_id request, failure why);
    void tell(const open_call& c, std::string how);
    shared_question shared(const open_call& c) const;
    template<class A>
    void emit(A a) {
        out_.push_back(std::move(a));
    }

    gate::target target_;
    random_source random_;
    time_point now_{};
    gate::actions out_;
    std::map<std::string, open_call> calls_; ///< by id
    denial_backoff denials_;
};

} // namespace reauth
