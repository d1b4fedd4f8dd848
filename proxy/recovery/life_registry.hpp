// The lives there are: made when they are first needed, let go when they are idle and all they hold is
// stored. Each event goes to its life through one queue, one step at a time.
#pragma once

#include "policy/life/credential_life.hpp"
#include "proxy/recovery/recovery_record.hpp"
#include "proxy/recovery/reply.hpp"
#include "proxy/recovery/work.hpp"
#include "proxy/relay/snapshot.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>

namespace reauth {

/// A life, and what this process knows beside it.
struct life_entry {
    life_entry(configured_binding where, const random_source& random)
        : key(where.key()), life(where.whose, random), place(std::move(where)) {}

    const life_key key;
    credential_life life;
    configured_binding place;
    bool removed = false; ///< not configured any more
    bool loaded = false;  ///< what the vault holds was seen; until then events wait
    bool loading = false;
    std::vector<std::function<void(const failure*)>> load_watchers; ///< hear when it was, or why it was not
    std::vector<life_event> early;
    last_outcome last;
    timeline_ptr record{};                   ///< of the episode that is under way; null: none
    std::optional<time_point> running_since; ///< of the silent step under way
    bool no_new_id_token = false; ///< the provider renews without one: the refresh token is the subject
    std::string supply_seen;      ///< of a supplied token: its file's time of change
    bool worked = false;          ///< it was told more than what the vault holds
    time_point used{};            ///< when anything but time was told to it
    std::vector<std::pair<life::work_id, reply<bool>>> flight_watchers;
    snapshot_ptr published;               ///< what workers have
    std::optional<credential> attached{}; ///< what workers have had since an earlier life of the same key
};

/// What is known of a credential whose life was let go: workers have it, and the vault.
struct resting_credential {
    principal_id principal; ///< its number is the one that workers know it by
    snapshot_ptr published; ///< null: nothing is held
    bool renewable = false;
    last_outcome last;
};

/// Control thread only.
class life_registry {
public:
    using performer = std::function<void(life_entry&, life_actions)>;
    /// A life that is idle for so long is let go.
    static constexpr std::chrono::minutes idle_after{15};
    /// … of a principal from outside, if it knows nothing that the vault does not: there may be many.
    static constexpr std::chrono::seconds outside_idle_after{10};
    /// … and was only loaded.
    static constexpr std::chrono::seconds unused_after{1};

    life_registry(recovery_context& context, performer perform)
        : context_(context), perform_(std::move(perform)) {}

    /// Another configuration: lives are told what they are bound to now, or that they are not configured.
    void use(std::shared_ptr<const routing_table> table);
    const std::shared_ptr<const routing_table>& table() const noexcept { return table_; }
    /// Blocks: for the start only, before anything else uses the vault. What it holds, and what the
    /// configuration supplies, is in force afterwards.
    result<void> load_all(std::shared_ptr<const routing_table> table);
    /// `made`: what each life is told first. `loaded`: what the vault held for it is in force.
    void on_made(std::function<void(life_entry&)> made, std::function<void(life_entry&)> loaded) {
        made_ = std::move(made);
        loaded_ = std::move(loaded);
    }

    /// Hears of principals that are not kept any more: their numbers, sorted.
    void on_forgotten(std::function<void(std::vector<std::uint32_t>)> forgotten) {
        forgotten_ = std::move(forgotten);
    }
    /// Once what the vault holds for it is in force; with a failure: it can't be read.
    void when_loaded(const life_key& key, std::function<void(const failure*)> then);
    /// Principals from outside that are kept now.
    std::size_t outsiders() const noexcept { return outsiders_.size(); }

    /// nullptr: there is none at the moment.
    life_entry* find(const life_key& key);
    const life_entry* find(const life_key& key) const;
    /// The life, made and loaded where there is none; nullptr: it is not configured.
    life_entry* need(const life_key& key);
    /// Its session's life; nullptr: it is minted from none.
    life_entry* session_of(const life_entry& m);
    /// Every upstream whose credential is minted from that session, as far as its life is there.
    std::vector<life_entry*> minted_from(const life_entry& session);
    std::vector<life_entry*> all();
    std::vector<const life_entry*> all() const;
    const std::map<life_key, resting_credential>& resting() const noexcept { return resting_; }

    void tell(const life_key& key, life_event event);
    /// Behind what is under way: what an action causes waits until all actions of its step are done.
    void after(std::function<void()> then);
    void pass_time();
    bool quiet() const;
    /// Nothing is due, and no file is looked at.
    bool idle() const;
    /// Called when a life hears of something other than the time.
    void on_stir(std::function<void()> stir) { stir_ = std::move(stir); }

private:
    life_entry& make(configured_binding place);
    result<void> load_now(life_entry& m);
    task<void> load_later(life_key key);
    void begin_load(life_entry& m);
    void tell_load_watchers(life_entry& m, const failure* why);
    void let_outsiders_go();
    bool may_leave(const principal_id& who);
    void step(life_entry& m, const life_event& event);
    void drain();
    void loaded(life_entry& m, std::optional<life_event> first);
    void detach_unless_covered(life_entry& m);
    void look_at_supply(life_entry& m);
    std::chrono::seconds patience_with(const life_entry& m) const;
    bool may_rest(const life_entry& m) const;
    void let_go();

    recovery_context& context_;
    performer perform_;
    std::function<void(life_entry&)> made_;
    std::function<void(life_entry&)> loaded_;
    std::function<void()> stir_;
    std::shared_ptr<const routing_table> table_;
    std::map<life_key, std::unique_ptr<life_entry>> lives_;
    std::map<life_key, resting_credential> resting_;
    std::map<std::string, principal_id, std::less<>>
        outsiders_; ///< of whom there is a life, or something rests
    std::function<void(std::vector<std::uint32_t>)> forgotten_;
    std::deque<std::function<void()>> queue_;
    bool draining_ = false;
};

} // namespace reauth
