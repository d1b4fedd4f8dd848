// Who waits for what, in order of arrival. Each is answered exactly once; why they wait is others' business.
#pragma once

#include "policy/life/credential_state.hpp"
#include "policy/life/switchboard.hpp"

#include <list>

namespace reauth {

/// What a request waits for.
enum class waits { nothing, discovery, look, flight, approval, session, pause, anything };

/// A request that waits, or a wish without one: a renewal ahead of time, a login.
struct waiting_request {
    life::request_id id = 0; ///< 0: nobody hears its end
    life::refusal what;
    std::uint64_t arrived = 0;
    std::optional<life::caller_id> login{}; ///< an operator's wish, or another life's
    bool for_life = false;
    std::string shown_upstream{};

    waits on = waits::nothing;
    life::work_id work = 0;
    time_point until{};     ///< while it waits for the pause's end
    std::string approval{}; ///< while it waits for that
    scope_set wanted{};     ///< while it waits for the flight: what it asked for
    wait_settings wait{};   ///< while a person is waited for
    std::vector<std::string> required_scopes{};
    std::string reason{};

    bool discovered = false, looked = false;
    bool asked = false;  ///< a person was waited for
    bool agreed = false; ///< … and signed in for it at the identity provider
    bool login_answered = false;
    std::optional<failure> silent_failure{};
};

/// The identity of whoever waits has ended: nobody is asked anew.
failure identity_gone();
/// … as an approval's outcome.
inline constexpr const char* words_for_identity_gone = "Whoever it was for was signed out.";

class waiting_requests {
public:
    waiting_requests(life_desk& desk, const credential_state& state) : desk_(desk), state_(state) {}

    void arrive(life::request_id id, life::refusal what);
    void arrive(const life::login_asked& e);
    void withdraw(life::request_id id);
    std::size_t size() const noexcept { return all_.size(); }
    /// Requests that a person's login will serve.
    std::size_t served_by_login() const;
    /// The first that waits for nothing; nullptr: none.
    waiting_request* next();

    // What becomes of one. Ends of it: `r` is gone afterwards.
    void replay(const waiting_request& r);
    /// … with the very same token, which its server may know by now.
    void replay_same(const waiting_request& r);
    void relay(const waiting_request& r, const failure& why);
    void fail(const waiting_request& r, failure why, const challenge_facts* facts = nullptr);
    void answer_login(const waiting_request& r, result<std::string> approval);
    void drop(const waiting_request& r);
    void park(waiting_request& r, waits on, life::work_id work = 0);
    void wait_for_approval(waiting_request& r, const std::string& approval);
    /// … at the identity provider; empty: it is being opened.
    void wait_for_session(waiting_request& r, const std::string& approval);
    void pause(waiting_request& r, time_point until);

    // What is told to all who wait for it.
    void discovery_ended(life::work_id work, const failure* why);
    void look_ended(life::work_id work);
    void flight_ended(const life::ended_flight& end);
    void approval_ended(const life::ended_approval& end);
    void approval_replaced(const std::string& before, const std::string& now);
    void approval_troubled(const std::string& id, const std::string& trouble);
    /// What came of it is in the vault, where who waited looks first.
    void look_again_after(const std::string& approval);
    void session_waits(const std::string& approval);
    void session_came();
    void session_refused(const failure& why, bool again);
    void pauses_ended();
    /// A credential came into force.
    void release_served();
    void renumbered(std::uint64_t before, std::uint64_t now);
    void judge_anew();
    void fail_all(const failure& why);

private:
    void answer(const waiting_request& r, recovery_verdict verdict);
    void tell(const waiting_request& r, const std::string& approval, std::string trouble = {});
    void tell_session(waiting_request& r, const std::string& approval);
    template<class Which>
    std::vector<std::uint64_t> those(Which which) const;
    waiting_request& find(std::uint64_t arrived);

    life_desk& desk_;
    const credential_state& state_;
    std::list<waiting_request> all_;
};

} // namespace reauth
