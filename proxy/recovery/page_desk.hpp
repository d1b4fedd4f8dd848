// People at the page: their sign-in with the company, their sessions' ends; and what the company's provider
// tells of them.
#pragma once

#include "proxy/recovery/audit_desk.hpp"
#include "proxy/recovery/signal_desk.hpp"

namespace reauth {

/// Control thread only.
class page_desk final : public identity_actions {
public:
    /// Seals and opens cookies; empty: not.
    struct sealing {
        std::function<std::string(const std::string&)> seal;
        std::function<std::optional<std::string>(const std::string&)> unseal;
    };

    page_desk(recovery_context& context, life_registry& lives, signal_desk& signals,
              identity_desk& identities, audit_desk& audit)
        : context_(context), lives_(lives), signals_(signals), identities_(identities), audit_(audit) {}

    void use(sealing how) { sealing_ = std::move(how); }

    task<signal_answer> logout_token(std::string provider, std::string token) override {
        return signals_.logout_token(std::move(provider), std::move(token));
    }
    task<signal_answer> security_event(std::string provider, std::string bearer, std::string token) override {
        return signals_.security_event(std::move(provider), std::move(bearer), std::move(token));
    }
    bool people_sign_in() const override;
    std::chrono::milliseconds session_lifetime() const override;
    task<result<page_sign_in>> begin_page_sign_in(std::string return_to) override;
    task<std::optional<std::string>> page_sign_in_of(std::string state) override;
    task<result<page_person>> finish_page_sign_in(authorization_callback parameters,
                                                  std::optional<std::string> browser_binding) override;
    bool over(const page_person& who) const override;
    task<void> end_page_session(page_person who) override;
    std::string seal(const std::string& text) const override;
    std::optional<std::string> unseal(const std::string& sealed) const override;

private:
    recovery_context& context_;
    life_registry& lives_;
    signal_desk& signals_;
    identity_desk& identities_;
    audit_desk& audit_;
    sealing sealing_;
};

} // namespace reauth
