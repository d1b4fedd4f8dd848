// The flight recorder: a timeline for every episode, kept in memory and in the vault, where all processes
// find it. Nothing waits for it.
#pragma once

#include "conf/config.hpp"
#include "policy/flows/flow_environment.hpp"
#include "proxy/approval/evidence_actions.hpp"
#include "proxy/net/http_options.hpp"
#include "proxy/recovery/configured_binding.hpp"
#include "proxy/recovery/vault_thread.hpp"
#include "proxy/vault/credential_store.hpp"

#include <deque>
#include <map>
#include <set>

namespace reauth {

/// One that this process writes to.
class open_timeline {
public:
    open_timeline(const flow_environment& env, timeline first) : what(std::move(first)), env_(env) {}

    const std::string& id() const noexcept { return what.id; }
    time_point now() const { return env_.now(); }
    /// A moment; with `since`: what has taken from then until now.
    void note(std::string name, timeline_facts facts = {}, std::optional<time_point> since = {});
    /// Nobody waits, and nothing is under way.
    bool idle() const noexcept { return waiting == 0 && works == 0; }

    timeline what;
    unsigned waiting = 0, works = 0; ///< requests that are held, pieces of work under way
    unsigned requests = 0;           ///< that it has had

private:
    const flow_environment& env_;
};

/// What it has to do with the outside of a recovery: exchanges of its work are noted there.
void note_exchange(const timeline_ptr& record, const exchange_seen& seen);

/// Control thread only.
class recorder {
public:
    recorder(executor ex, credential_store& store, vault_thread& vault, const flow_environment& env,
             std::string process)
        : ex_(ex), store_(store), vault_(vault), env_(env), process_(std::move(process)) {}

    void use(const recorder_config& settings) { settings_ = settings; }
    /// Hears of each entry.
    void on_entry(std::function<void(const history_entry&)> hear) { entered_ = std::move(hear); }
    /// Hears of each timeline that is over for now.
    void on_closed(std::function<void(const timeline&)> hear) { closed_ = std::move(hear); }

    /// A new one; with an id, that one goes on.
    timeline_ptr open(const life_key& whose, const std::string& id = {});
    /// It is over for now; one that tells nothing is dropped.
    void close(const timeline_ptr& t);
    /// It is to be found by other processes, and after this one, as it is now.
    void keep(const timeline_ptr& t);
    /// What was decided or done: it stands in the history from now on.
    void add(const timeline_ptr& t, history_entry e);

    /// The last entries of this process, newest first.
    const std::deque<history_entry>& recent() const noexcept { return recent_; }
    /// Timelines that could not be stored.
    std::uint64_t lost() const noexcept { return lost_; }
    /// What is not stored yet.
    bool quiet() const noexcept { return unsaved_.empty() && !saving_; }

    /// See evidence_actions.
    task<std::vector<history_entry>> history(history_query wanted);
    task<std::optional<timeline>> timeline_of(std::string id);
    task<std::vector<timeline>> judgements(std::size_t most);

private:
    task<void> save();
    task<std::optional<std::vector<timeline>>> page(std::optional<timeline_part> before, std::size_t most);
    void replace_by_own(std::vector<timeline>& parts) const;

    executor ex_;
    credential_store& store_;
    vault_thread& vault_;
    const flow_environment& env_;
    const std::string process_;
    recorder_config settings_;
    std::function<void(const timeline&)> closed_;
    std::function<void(const history_entry&)> entered_;
    std::map<std::string, timeline_ptr> own_; ///< the last ones of this process, by id
    std::set<std::string> unsaved_;
    std::deque<history_entry> recent_;
    struct {
        std::vector<history_entry> entries;
        time_point until{};
    } cached_; ///< of a query without conditions
    std::uint64_t lost_ = 0, stored_ = 0;
    bool saving_ = false;
};

} // namespace reauth
