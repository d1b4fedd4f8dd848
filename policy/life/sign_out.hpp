// Sign-outs under way: the vault learns that nothing of before counts, the tokens are revoked (RFC 7009), and
// who asked hears what could not be done.
#pragma once

#include "policy/life/credential_state.hpp"
#include "policy/life/switchboard.hpp"

#include <list>
#include <set>

namespace reauth {

class sign_outs {
public:
    sign_outs(life_desk& desk, credential_state& state) : desk_(desk), state_(state) {}

    /// Begins: the tokens of what is held are given back. `bury` follows once all else is void.
    void revoke(life::caller_id caller, std::string issuer, const life::server_ptr& server);
    /// Writes a tombstone for the one that was begun last, retrying until it is stored. `lock`: kept until
    /// then, so that no other process sends what is spent.
    void bury(life::held_lock lock);
    /// What the vault holds for a place that was left, up to this generation: it is spent.
    void bury_spent(std::string issuer, std::uint64_t until, life::held_lock lock);
    /// The other side says that this generation is dead.
    void erase_dead(std::string issuer, std::uint64_t generation);
    /// The vault has not heard of a sign-out yet: what it holds, with this generation, may be of before.
    bool unheard(std::uint64_t generation) const;
    /// A lock for something that has to be stored first; none: nothing is kept.
    life::held_lock lend_lock() noexcept;
    bool quiet() const noexcept { return works_.empty(); }
    /// The vault knows of all of them.
    bool heard() const noexcept { return all_.empty(); }

    void on(const life::erased& e);
    void on(const life::revoked& e);
    /// `storing`: something newer than any sign-out is on its way to the vault.
    void time_passed(bool storing);

private:
    struct entry {
        life::caller_id caller = 0; ///< 0: nobody asked
        life::work_id erase = 0, revoke = 0;
        std::optional<failure> trouble;
        revocation_report said;
        unsigned tries = 0;
        std::optional<time_point> erase_again;
        std::uint64_t tombstone = 0, only_until = 0;
        life::held_lock lock;
        std::string issuer;
    };
    void send_tombstone(entry& s, bool whole);
    void not_erased(entry& s, failure why);
    void answer();

    life_desk& desk_;
    credential_state& state_;
    std::list<entry> all_;
    std::optional<entry> begun_;
    std::set<life::work_id> works_;
};

} // namespace reauth
