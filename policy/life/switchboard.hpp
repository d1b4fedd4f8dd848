// What one machine of a life tells the others. The dispatcher passes it on: no machine knows another one's
// members.
#pragma once

#include "policy/life/life_events.hpp"

#include <optional>
#include <string>

namespace reauth {

namespace life {

/// A lock at the vault, and whether what the vault holds was seen since it was won: nobody else renews that.
struct held_lock {
    work_id id = 0; ///< 0: none
    bool looked = false;
    explicit operator bool() const noexcept { return id != 0; }
};

/// How an approval ended.
struct ended_approval {
    std::string id;
    approval_status status = approval_status::failed;
    failure why{};         ///< for who waited; approved: empty
    bool in_vault = false; ///< what came of it was stored by another process: who waited looks there first

    bool approved() const noexcept { return status == approval_status::approved; }
    /// Nobody said no: who waited is judged again.
    bool again() const noexcept {
        return approved() || status == approval_status::signed_out || status == approval_status::superseded;
    }
};

/// How silent work ended.
struct ended_flight {
    work_id id = 0;
    scope_set scopes;
    std::string approval;         ///< that a person confirmed; empty: none was asked for
    std::optional<failure> why{}; ///< nothing: it worked
};

} // namespace life

class switchboard {
public:
    switchboard() = default;
    switchboard(const switchboard&) = delete;

    /// `c` is in force from now on.
    virtual void take_into_force(credential c, bool saved, std::optional<recovery_step> how) = 0;
    /// Takes what the vault holds into force, if it is newer than ours and for us. False: it is not.
    virtual bool adopt(const life::stored_state& state) = 0;
    /// `unwanted` is not used any more: revoked, or kept for the sign-out where revoking it would end more
    /// than itself (RFC 7009 section 2.1).
    virtual void give_up(credential unwanted, life::server_ptr server = {},
                         std::optional<registered_client> client = {}) = 0;
    /// A store that runs, and whose outcome nobody wants any more.
    virtual void void_store(life::work_id work, credential unwanted, bool spent) = 0;
    /// Storing failed: what is in force is stored again later, and `lock` is kept until then.
    virtual void keep_unsaved(const failure& why, life::held_lock lock, bool pin) = 0;
    /// What could not be stored is stored, or replaced.
    virtual void forget_unsaved() = 0;
    /// Unlocks, unless something waits to be stored under that lock.
    virtual void give_back(life::held_lock lock) = 0;
    /// A tombstone was met: nothing of before is used any more.
    virtual void signed_out_elsewhere() = 0;
    /// Whoever was refused with an older credential than the one in force tries again.
    virtual void release_served() = 0;
    virtual void approval_ended(const life::ended_approval& end) = 0;
    /// Who waits for the one waits for the other.
    virtual void approval_replaced(const std::string& before, const std::string& now) = 0;
    /// Who waits for the approval hears what its trouble is; empty: none.
    virtual void approval_troubled(const std::string& id, const std::string& trouble) = 0;
    /// A person has signed in: silent work may be tried again at once.
    virtual void person_signed_in() = 0;
    /// Requests that a person's login will serve.
    virtual std::size_t waiting_for_login() const = 0;
    virtual void flight_ended(const life::ended_flight& end) = 0;
    /// What is in force is numbered anew, behind what others have stored.
    virtual void renumbered(std::uint64_t before, std::uint64_t now) = 0;

protected:
    ~switchboard() = default;
};

} // namespace reauth
