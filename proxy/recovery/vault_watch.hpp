// One truth for all processes on a vault: what others have stored, signed out of, asked and decided is heard
// of here.
#pragma once

#include "proxy/recovery/approval_ledger.hpp"
#include "proxy/recovery/identity_desk.hpp"
#include "proxy/recovery/rule_book.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

namespace reauth {

/// Control thread only.
class vault_watch {
public:
    vault_watch(recovery_context& context, life_registry& lives, approval_ledger& approvals, rule_book& rules,
                identity_desk& identities)
        : context_(context), lives_(lives), approvals_(approvals), rules_(rules), identities_(identities),
          timer_(context.ex), bell_(context.ex) {}

    /// Blocks: at the start. From now on changes are kept for us.
    result<void> begin();
    void listen();
    void stop();
    /// What is wrong with the vault, as far as was seen last; nothing: it works.
    const std::optional<failure>& trouble() const noexcept { return trouble_; }
    /// How long ago news was asked for last; negative: never.
    std::chrono::duration<double> news_age() const noexcept {
        return looked_ == std::chrono::steady_clock::time_point()
                   ? std::chrono::duration<double>(-1)
                   : std::chrono::steady_clock::now() - looked_;
    }
    /// Said once, when it begins and when it is over; /readyz tells it as long as it lasts.
    void note(const std::optional<failure>& trouble);

private:
    void listen_to(const vault_bell& bell);
    void look();
    task<void> read_changes();
    task<void> on_change(vault_change change);
    task<void> on_credential_change(life_key key, std::string issuer);
    std::vector<life_key> known(bool session) const;

    recovery_context& context_;
    life_registry& lives_;
    approval_ledger& approvals_;
    rule_book& rules_;
    identity_desk& identities_;
    loop_timer timer_;
    asio::posix::basic_stream_descriptor<executor> bell_; ///< a copy of the vault's
    bool rung_for_ = false;                               ///< somebody waits for it
    bool looking_ = false;
    std::chrono::steady_clock::time_point looked_{};
    std::optional<failure> trouble_;
    bool stopped_ = false;
};

} // namespace reauth
