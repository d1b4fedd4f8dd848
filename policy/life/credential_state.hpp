// The credential in force, and what is known of it and of the vault's record. The machines of a life look at
// it, and change it by its verbs alone.
#pragma once

#include "policy/life/life_desk.hpp"
#include "policy/life/spent_tokens.hpp"
#include "policy/life/vault_view.hpp"

#include <optional>

namespace reauth {

class credential_state {
public:
    explicit credential_state(life_desk& desk) : desk_(desk) {}

    /// nullptr: nothing is held.
    const credential* held() const noexcept { return held_ ? &held_->value : nullptr; }
    /// Of what is held; 0: nothing is.
    std::uint64_t generation() const noexcept { return held_ ? held_->value.generation : 0; }
    /// false: it could not be stored yet.
    bool saved() const noexcept { return !held_ || held_->saved; }
    /// A new one can be had without a person.
    bool renewable() const;
    /// … with its refresh token.
    bool refreshable() const;
    /// Its refresh token was refused for good, or was sent.
    bool refresh_dead() const noexcept { return held_ && held_->refresh_dead; }
    std::optional<recovery_step> obtained_by() const;
    /// As whom somebody was signed in last, whether that is held yet or not.
    struct account {
        std::string subject, shown;
    };
    const account& last_account() const noexcept { return last_account_; }
    std::uint64_t next_generation() const noexcept;
    bool newer_than_held(std::uint64_t generation) const noexcept;
    /// What a store met is another's work and newer than what is held. Otherwise it is of ours: a tombstone,
    /// what was there before, or what an undone store has put back.
    bool overtakes(const life::stored_state& state) const;
    /// What the vault shall hold again after an undone store: nothing that it never held, or others would
    /// renew it while we do.
    std::optional<credential> to_put_back() const;
    /// Rises with each sign-out and each change of what the credential is bound to: older work is void.
    std::uint64_t epoch() const noexcept { return epoch_; }
    const vault_view& vault() const noexcept { return vault_; }
    const spent_tokens& spent() const noexcept { return spent_; }

    void take_into_force(credential c, bool saved, std::optional<recovery_step> how);
    /// Nothing is held any more.
    void drop();
    /// The refresh token is not sent again. Says nothing to the workers: publish() does.
    void end_refresh() noexcept;
    void pause_refresh(std::chrono::seconds pause);
    void mark_saved() noexcept;
    /// Gives what is held a number behind the vault's; returns it.
    std::uint64_t renumber();
    void publish();
    void begin_epoch();
    vault_view& vault() noexcept { return vault_; }
    spent_tokens& spent() noexcept { return spent_; }
    /// The provider wants the person to sign in again, though its session lives: the next login asks for
    /// that.
    void want_login() noexcept { login_wanted_ = true; }
    bool login_wanted() const noexcept { return login_wanted_; }
    void signed_in() noexcept { login_wanted_ = false; }
    /// Told by the question that comes of trouble with the refresh.
    void note_for_person(std::string note) { note_ = std::move(note); }
    std::string take_note() { return std::exchange(note_, {}); }
    /// One line of the audit: what worked is told with the scopes in force.
    void report(life::audit line);

private:
    struct holding {
        credential value;
        bool saved = true;
        bool refresh_dead = false;
        time_point refresh_again{}; ///< refused for now: not sent before this
        std::optional<recovery_step> obtained_by;
    };

    life_desk& desk_;
    std::optional<holding> held_;
    vault_view vault_;
    spent_tokens spent_;
    std::uint64_t epoch_ = 1;
    bool login_wanted_ = false;
    std::string note_;
    account last_account_;
};

} // namespace reauth
