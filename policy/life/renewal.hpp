// The one piece of silent work that may be under way: lock, look, run, store. Joined by everybody who needs
// the same; what it brings home after it was abandoned is undone.
#pragma once

#include "policy/life/routine.hpp"
#include "policy/life/server_search.hpp"
#include "policy/life/store_retry.hpp"
#include "policy/life/switchboard.hpp"

namespace reauth {

namespace life {

/// What a flight is to bring.
struct flight_order {
    std::vector<recovery_step> steps; ///< tried in order
    scope_set scopes;
    std::string rule;
    std::string approval; ///< it was confirmed by a person; empty: none was asked
    std::string asker;    ///< whose request began it, as it calls itself
};

} // namespace life

class renewal {
public:
    /// A refresh token that was refused without a word of its own is not sent again before this is over.
    static constexpr std::chrono::seconds refresh_pause{60};

    renewal(life_desk& desk, credential_state& state, server_search& servers, const store_retry& unsaved,
            switchboard& board)
        : desk_(desk), state_(state), servers_(servers), unsaved_(unsaved), board_(board) {}

    /// 0: none is under way.
    life::work_id id() const noexcept { return flight_ ? flight_->id : 0; }
    explicit operator bool() const noexcept { return flight_.has_value(); }
    /// The approval that it was confirmed by; empty: none.
    std::string approval() const { return flight_ ? flight_->order.approval : std::string(); }
    life::held_lock lock() const noexcept { return flight_ ? flight_->lock : life::held_lock(); }
    life::held_lock take_lock() noexcept {
        return flight_ ? std::exchange(flight_->lock, {}) : life::held_lock();
    }
    /// It may bring something into force at any moment.
    bool may_bring() const noexcept { return flight_ && flight_->phase != stage::locking; }
    /// It has brought something that is not stored yet.
    bool has_brought() const noexcept { return flight_ && flight_->fresh; }
    bool storing() const noexcept { return flight_ && flight_->phase == stage::storing; }
    /// The refresh token in force was sent: whatever comes back, it is not sent again.
    bool spends_refresh_token() const noexcept;
    /// Trouble that passes: when silent work may be tried again.
    const life::transient_trouble& trouble() const noexcept { return trouble_; }
    void forgive() { trouble_ = {}; }

    /// Orders one; launch() begins it.
    life::work_id order(life::flight_order wanted);
    /// `kept`: a lock that is held already.
    void launch(life::held_lock kept);
    /// Nobody else stores: it may go on where it waited for that.
    void may_store();
    /// Its work is void. `held_stays`: what is in force stays so. Its number; 0: none was under way.
    life::work_id abandon(bool held_stays);
    void renumbered(std::uint64_t before, std::uint64_t now) noexcept;
    // The ends of its work; false: it is not ours, or not ours any more.
    bool on(const life::locked& e);
    bool on(const life::looked& e);
    bool on(const life::flow_ended& e);
    bool on(const life::stored& e);

private:
    enum class stage { locking, looking, running, looking_again, waiting_to_store, storing };
    /// The store under way elsewhere has ended.
    struct way_is_free {};
    /// Why it ended; what to do with what it brought too late.
    struct outcome {
        std::optional<failure> why{};
        bool signed_out = false;              ///< by another process
        std::optional<credential> unwanted{}; ///< given up, once all is over
    };
    using course = routine<outcome, life::locked, life::looked, life::flow_ended, life::stored, way_is_free>;
    struct flight {
        life::work_id id = 0;
        life::flight_order order;
        stage phase = stage::locking;
        life::held_lock lock;         ///< none: not won yet
        std::size_t at = 0;           ///< the step under way
        std::uint64_t began_with = 0; ///< generation in force when it was ordered: it is of no use
        std::uint64_t replaces = 0;   ///< … when the step under way was begun
        std::optional<credential> fresh;
        std::optional<registered_client> client; ///< that it was issued to
        bool pin = false;
        failure last;
        bool interrupted = false; ///< another process had begun to spend the refresh token
        std::optional<course> running;
    };

    course run();
    // What run() is made of, between its waits.
    void look(bool under_lock);
    /// Nothing: it goes on.
    std::optional<outcome> after_look(const life::looked& e);
    bool find_step();
    void send_step();
    enum class then { next_step, look_again, give_up };
    then after_refusal(const life::flow_ended& e);
    void take_home(const life::flow_ended& e);
    /// false: a person has signed in meanwhile, and what was renewed is of no use.
    bool send_store();
    std::optional<outcome> after_store(const life::stored& e);

    recovery_step step() const { return flight_->order.steps[flight_->at]; }
    void report(life::happening how, const failure* why = nullptr);
    template<class E>
    bool give(const E& e);
    void finish();
    void note_trouble(const failure& why);

    life_desk& desk_;
    credential_state& state_;
    server_search& servers_;
    const store_retry& unsaved_;
    switchboard& board_;
    std::optional<flight> flight_;
    life::transient_trouble trouble_;
};

} // namespace reauth
