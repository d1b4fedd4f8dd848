// What the page asks about people: who signs in to it, and what identity providers tell of them. Carried out
// by recovery.
#pragma once

#include "core/base/failure.hpp"
#include "core/base/time_point.hpp"
#include "core/oauth/authorization.hpp"
#include "proxy/net/task.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reauth {

/// How an event that was delivered is answered: RFC 8935 section 2, OpenID Connect Back-Channel Logout
/// section 2.8.
struct signal_answer {
    unsigned status = 200;
    std::string error; ///< `err`, or `error`; empty: it was taken
    std::string description;
};

/// Somebody who has signed in to the page.
struct page_person {
    std::string id;                       ///< of this session, random
    std::string principal;                ///< as callers are named
    std::string shown;                    ///< as the provider calls them: for their own eyes
    std::string issuer, subject, session; ///< `iss`, `sub`, `sid` of the ID token
    bool operates = false;                ///< in a group of operators: sees and decides everything
    time_point issued{};                  ///< of the ID token, by the provider's clock
    time_point begun{}, seen{};
};

/// Where somebody who wants to sign in is sent.
struct page_sign_in {
    std::string location, state;
    secret browser_binding; ///< the cookie's value
};

/// Control thread only.
class identity_actions {
public:
    virtual ~identity_actions() = default;

    /// A logout token for that identity provider.
    virtual task<signal_answer> logout_token(std::string provider, std::string token) = 0;
    /// A security event, pushed; `bearer`: what the transmitter presented.
    virtual task<signal_answer> security_event(std::string provider, std::string bearer,
                                               std::string token) = 0;

    /// `approval.sign_in` is there.
    virtual bool people_sign_in() const = 0;
    /// How long a session lasts, whatever happens.
    virtual std::chrono::milliseconds session_lifetime() const = 0;
    /// Begins a sign-in that leads back to that path of the page.
    virtual task<result<page_sign_in>> begin_page_sign_in(std::string return_to) = 0;
    /// Where a sign-in with that `state` leads back to; nothing: it is none of the page's.
    virtual task<std::optional<std::string>> page_sign_in_of(std::string state) = 0;
    virtual task<result<page_person>> finish_page_sign_in(authorization_callback parameters,
                                                          std::optional<std::string> browser_binding) = 0;
    /// The identity, or this session, has ended since it was begun; or its time is over.
    virtual bool over(const page_person& who) const = 0;
    /// Ends this session in all processes.
    virtual task<void> end_page_session(page_person who) = 0;
    /// A text that only we can open, in any process: for cookies.
    virtual std::string seal(const std::string& text) const = 0;
    virtual std::optional<std::string> unseal(const std::string& sealed) const = 0;
};

} // namespace reauth
