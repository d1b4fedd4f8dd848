// One approval from its opening to its end: a sign-in, a step-up, or a call that is approved before it is
// sent. Its state is its record; what is beside it concerns this process alone.
#pragma once

#include "policy/life/life_actions.hpp"

#include <initializer_list>
#include <utility>

namespace reauth {

/// How far it has come. The last two are a call's.
enum class approval_phase {
    pending,     ///< nobody has acted on it
    starting,    ///< the sign-in is being begun
    authorizing, ///< a person was sent to the provider
    redeeming,   ///< … and came back: the code becomes a token
    storing,     ///< … which is stored
    minting,     ///< a person agreed, and the silent work waits or runs (`confirm`)
    at_idp,      ///< … and needs a login at the identity provider first
    allowed,     ///< the call may be sent, once
    taking,      ///< the vault is asked whether it still may
};

class approval_request {
public:
    explicit approval_request(approval_record record, life::refusal what = {});

    const approval_record& record() const noexcept { return record_; }
    const approval& shown() const noexcept { return record_.shown; }
    const std::string& id() const noexcept { return record_.shown.id; }
    approval_phase phase() const noexcept { return phase_; }
    bool is(std::initializer_list<approval_phase> any) const noexcept;
    bool pending() const noexcept { return phase_ == approval_phase::pending; }
    /// The work that it waits for; 0: none.
    life::work_id work() const noexcept { return work_; }
    /// The token endpoint is asked for it (RFC 8628); 0: it is not.
    life::work_id device_wait() const noexcept { return device_wait_; }
    /// What it was opened for.
    const life::refusal& what() const noexcept { return what_; }
    /// The client that the callback's code, or the credential, was issued to.
    const registered_client& client() const noexcept { return client_; }
    const credential* fresh() const noexcept { return fresh_ ? &*fresh_ : nullptr; }
    /// A flow of its own is in the browser of the page that has begun it.
    bool bound_to_browser() const noexcept { return record_.browser_binding.has_value(); }
    /// Where the person goes. `from_page`: with what binds the flow to that browser.
    approve_answer location(bool from_page) const;

    /// Who has said yes, or no; who is not known takes no name away.
    void decided_by(const std::string& who) {
        if (!who.empty())
            record_.shown.decided_by = who;
    }
    /// Answered when it is known where to go, or that it is done.
    void keep_asker(const life::approve_asked& who) { askers_.push_back(who); }
    std::vector<life::approve_asked> take_askers() { return std::exchange(askers_, {}); }

    void start(life::work_id work) noexcept;
    /// The sign-in could not be begun; `trouble`: shown, if it may be tried again.
    void could_not_start(const std::string& trouble);
    void authorize(const begun_authorization& begun);
    /// Another process has sent the person to the provider.
    void take_flow(const approval_record& told);
    void wait_for_device(life::work_id work) noexcept { device_wait_ = work; }
    void unbind() noexcept { record_.browser_binding.reset(); }
    void redeem(life::work_id work, life::caller_id caller, registered_client client);
    void issued_to(registered_client client) { client_ = std::move(client); }
    /// A code is good for one try.
    void flow_was_taken() noexcept { record_.pending_state = secret(); }
    void store(life::work_id work, credential fresh);
    credential take_fresh();
    std::optional<life::caller_id> take_callback() noexcept { return std::exchange(callback_, {}); }
    /// Nobody is under way to a provider for it any more.
    void back_to_pending(std::string outcome);
    void mint() noexcept { phase_ = approval_phase::minting; }
    void wait_for_idp() noexcept { phase_ = approval_phase::at_idp; }
    void reopen() noexcept { phase_ = approval_phase::pending; }
    void end(approval_status status, std::string outcome);
    // of a call
    void allow(std::string outcome);
    void take() noexcept { phase_ = approval_phase::taking; }
    /// It can't be told whether it was used: it stays allowed.
    void not_taken() noexcept { phase_ = approval_phase::allowed; }
    void use(std::string outcome);
    void take_remote(const approval& now);

private:
    approval_record record_;
    approval_phase phase_ = approval_phase::pending;
    life::work_id work_ = 0, device_wait_ = 0;
    life::refusal what_;
    std::vector<life::approve_asked> askers_;
    std::optional<life::caller_id> callback_;
    registered_client client_;
    std::optional<credential> fresh_;
};

} // namespace reauth
