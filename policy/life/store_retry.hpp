// The vault can't store: what is in force is used from memory, the lock is kept so that no other process
// sends the spent refresh token, and storing is tried again with back-off.
#pragma once

#include "policy/life/credential_state.hpp"
#include "policy/life/switchboard.hpp"

#include <map>

namespace reauth {

class store_retry {
public:
    store_retry(life_desk& desk, credential_state& state, switchboard& board)
        : desk_(desk), state_(state), board_(board) {}

    /// Something waits to be stored.
    explicit operator bool() const noexcept { return unsaved_.has_value(); }
    /// … and is being stored.
    bool under_way() const noexcept { return unsaved_ && unsaved_->storing; }
    life::held_lock lock() const noexcept { return unsaved_ ? unsaved_->lock : life::held_lock(); }
    life::held_lock take_lock() noexcept {
        return unsaved_ ? std::exchange(unsaved_->lock, {}) : life::held_lock();
    }

    void keep(const failure& why, life::held_lock lock, bool pin);
    /// The lock that it kept.
    life::held_lock forget() noexcept;
    /// Unlocks, unless it is needed here.
    void give_back(life::held_lock lock);
    /// `rival`: something else that replaces it is being stored.
    void time_passed(bool rival);
    /// false: not ours.
    bool on(const life::stored& e, life::server_ptr server);

private:
    struct unsaved {
        life::held_lock lock;
        life::work_id storing = 0;
        bool pin = false;
        unsigned tries = 0;
        time_point next{};
    };
    void met_newer(const life::stored_state& found, life::server_ptr server);

    life_desk& desk_;
    credential_state& state_;
    switchboard& board_;
    std::optional<unsaved> unsaved_;
};

/// Stores that ran while their outcome became void: undone once they are there.
class void_stores {
public:
    void_stores(life_desk& desk, credential_state& state) : desk_(desk), state_(state) {}

    void add(life::work_id work, life::undo_store undo) { running_.emplace(work, std::move(undo)); }
    /// A sign-out: nothing of before is put back into the vault.
    void put_back_nothing();
    void on(const life::stored& e);

private:
    life_desk& desk_;
    credential_state& state_;
    std::map<life::work_id, life::undo_store> running_;
};

} // namespace reauth
