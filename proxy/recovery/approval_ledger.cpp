// Shown, shared, announced, heard of.
#include "proxy/recovery/approval_ledger.hpp"

#include "conf/client_entry.hpp"
#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::size_t remembered_flows = 256;

} // namespace

void approval_ledger::show(const life_key& whose, const life::show& a) {
    const bool fresh = !book_.find(a.now.id);
    book_.show(a.now);
    if (a.share)
        asio::co_spawn(context_.ex, share(*a.share, fresh && !decided(a.now.status)), asio::detached);
    if (decided(a.now.status)) {
        open_.erase(a.now.id);
        return;
    }
    open_[a.now.id] = whose;
    if (a.now.status == approval_status::authorizing) // a person was sent to the provider
        book_.look(a.now.id, context_.env.now());
}

const life_key* approval_ledger::owner(const std::string& approval) const {
    const auto found = open_.find(approval);
    return found == open_.end() ? nullptr : &found->second;
}

/// The vault decides which of two processes has asked first; a person hears of one approval only.
task<void> approval_ledger::share(approval_record mine, bool fresh) {
    const auto now = context_.env.now();
    auto write = [&] { return context_.store.store_approval(mine, now, fresh); };
    auto other = co_await context_.vault.run(write);
    if (!other)
        log_vault_trouble(other.error());
    if (other && other->has_value())
        pass_on(std::move(**other));
    else if (fresh)
        announce(mine.shown);
}

void approval_ledger::announce(const approval& a) {
    const auto& settings = *lives_.table()->settings;
    record_.announced();
    // the id and the command, never the link: the log may go anywhere
    log_event(log_level::warn, "approval needed",
              {{"id", a.id},
               {"upstream", a.upstream},
               {"kind", std::string(to_string(a.kind))},
               {"client", a.client_name},
               {"tool", a.tool},
               {"scopes", a.requested.to_string()},
               {"run", cli_command(settings, "approve " + a.id)}});
    if (tell_)
        tell_(a, settings);
}

void approval_ledger::pass_on(approval_record told) {
    const life_key key{told.session, told.shown.principal, told.name};
    const auto* m = lives_.need(key);
    if (!m)
        return;
    auto seen = told.shown.kind == approval_kind::call
                    ? std::move(told)
                    : seen_from(std::move(told), redirect_uri_of(m->place));
    lives_.tell(key, life::remote_approval{std::move(seen)});
}

task<void> approval_ledger::read_changed(std::string key) {
    auto read = [&]() -> result<std::vector<approval_record>> {
        if (key.empty())
            return context_.store.approvals();
        auto one = context_.store.find_approval(key);
        if (!one)
            return one.error();
        std::vector<approval_record> found;
        if (*one)
            found.push_back(std::move(**one));
        return found;
    };
    auto found = co_await context_.vault.run(read);
    if (!found) {
        log_vault_trouble(found.error());
        co_return;
    }
    for (auto& record : *found)
        pass_on(std::move(record));
}

/// What can't be read is no reason not to start.
void approval_ledger::take_up() {
    auto open = context_.store.approvals();
    if (!open) {
        log_vault_trouble(open.error());
        return;
    }
    for (auto& record : *open) {
        const auto& a = record.shown;
        if (!decided(a.status) && context_.env.now() < a.expires_at)
            log_event(log_level::info, "approval still waits",
                      {{"id", a.id},
                       {"upstream", a.upstream},
                       {"run", cli_command(*lives_.table()->settings, "approve " + a.id)}});
        pass_on(std::move(record));
    }
}

void approval_ledger::flow_ended(const secret& state, const std::string& approval) {
    ended_flows_.emplace_back(pending_key(state.reveal()), approval);
    if (ended_flows_.size() > remembered_flows)
        ended_flows_.pop_front();
}

/// What the page says where the vault does not know the flow: it was used, or it has ended.
callback_outcome approval_ledger::lost_callback(const std::string& state) const {
    callback_outcome outcome;
    outcome.title = "Nothing to do here";
    outcome.detail = "This sign-in was completed already, or it is too old. If a request still waits, "
                     "open its approval again.";
    const auto digest = pending_key(state);
    for (const auto& [ended, approval] : ended_flows_)
        if (ended == digest) {
            const auto shown = book_.find(approval);
            outcome.title = "This sign-in has ended";
            outcome.detail = (shown ? shown->outcome : std::string("Its approval is closed.")) +
                             " Nothing was changed; the code from the provider was not used.";
            outcome.approval_id = approval;
        }
    return outcome;
}

} // namespace reauth
