// One truth for all processes on a vault: what others have stored, signed out of, asked and decided is heard
// of here, and what is asked here is told to them.
#include "proxy/recovery/manager.hpp"

#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::chrono::milliseconds listening_pause{200};

void log_vault(const failure& trouble) {
    log_event(log_level::error, "vault", {{"message", trouble.describe()}});
}

} // namespace

void credential_manager::listen() {
    listener_.expires_after(listening_pause);
    listener_.async_wait([this](error_code ec) {
        if (!ec && !stopped_)
            asio::co_spawn(context_.ex, hear_all(), asio::detached);
    });
}

task<void> credential_manager::hear_all() {
    auto look = [this] { return store_.records().changes(); };
    auto heard = co_await vault_.run(look);
    note_vault(heard ? std::optional<failure>() : heard.error());
    if (heard)
        for (const auto& change : *heard) {
            if (change.kind == record_kind::approval) {
                co_await hear_question(change.key);
                continue;
            }
            if (change.kind == record_kind::rule) {
                co_await hear_rules();
                continue;
            }
            if (change.kind != record_kind::credential && change.kind != record_kind::idp_session)
                continue;
            const bool session = change.kind == record_kind::idp_session;
            if (change.key.empty()) {
                std::vector<life_key> all;
                for (const auto& [key, m] : lives_)
                    if (key.session == session)
                        all.push_back(key);
                for (const auto& key : all)
                    co_await hear_credential(key, std::string());
                continue;
            }
            const auto parts = split_key(change.key);
            if (parts && parts->size() == (session ? 2u : 3u)) {
                life_key key{session, (*parts)[0], (*parts)[1]};
                auto issuer = session ? std::string() : (*parts)[2];
                co_await hear_credential(std::move(key), std::move(issuer));
            }
        }
    if (!stopped_)
        listen();
}

task<void> credential_manager::hear_credential(life_key key, std::string issuer) {
    const auto* m = find(key);
    if (!m || m->removed || m->place.whose.supplied)
        co_return;
    life::look what{0, std::move(issuer)};
    auto end = co_await look_work(context_, m->place, std::move(what));
    const auto& looked = std::get<life::looked>(end);
    if (looked.found)
        tell(key, life::news{*looked.found});
    else
        log_vault(looked.found.error());
}

/// An empty key: all of them.
task<void> credential_manager::hear_question(std::string key) {
    auto read = [&]() -> result<std::vector<shared_question>> {
        if (key.empty())
            return store_.questions();
        auto one = store_.find_question(key);
        if (!one)
            return one.error();
        std::vector<shared_question> found;
        if (*one)
            found.push_back(std::move(**one));
        return found;
    };
    auto found = co_await vault_.run(read);
    if (!found) {
        log_vault(found.error());
        co_return;
    }
    for (auto& question : *found)
        tell_question(std::move(question));
}

void credential_manager::tell_question(shared_question told) {
    const life_key key{told.session, told.shown.principal, told.name};
    const auto* m = find(key);
    if (!m || m->removed)
        return;
    if (told.shown.kind == approval_kind::call)
        tell_gate(key, life::question_news{std::move(told)});
    else
        tell(key, life::question_news{seen_from(std::move(told), redirect_uri_of(m->place))});
}

/// At the start: those of an earlier run, or of other processes. What can't be read is no reason not to
/// start.
void credential_manager::take_up_questions() {
    auto open = store_.questions();
    if (!open) {
        log_vault(open.error());
        return;
    }
    for (auto& question : *open) {
        if (!decided(question.shown.status) && env_.now() < question.shown.expires_at)
            log_event(log_level::info, "approval still waits",
                      {{"id", question.shown.id},
                       {"upstream", question.shown.upstream},
                       {"run", cli_command(*table_->settings, "approve " + question.shown.id)}});
        tell_question(std::move(question));
    }
}

/// The vault decides which of two processes has asked first; a person hears of one question only.
task<void> credential_manager::share(shared_question mine, bool fresh) {
    const auto now = env_.now();
    auto write = [&] { return store_.store_question(mine, now, fresh); };
    auto other = co_await vault_.run(write);
    if (!other)
        log_vault(other.error());
    if (other && other->has_value())
        tell_question(std::move(**other));
    else if (fresh)
        announce(mine.shown);
}

void credential_manager::announce(const approval& a) {
    ++counters_.approvals;
    // the id and the command, never the link: the log may go anywhere
    log_event(log_level::warn, "approval needed",
              {{"id", a.id},
               {"upstream", a.upstream},
               {"kind", std::string(to_string(a.kind))},
               {"client", a.client_name},
               {"tool", a.tool},
               {"scopes", a.requested.to_string()},
               {"run", cli_command(*table_->settings, "approve " + a.id)}});
    if (tell_)
        tell_(a, *table_->settings);
}

/// Said once, when it begins and when it is over; /readyz tells it as long as it lasts.
void credential_manager::note_vault(const std::optional<failure>& trouble) {
    if (trouble && (!vault_trouble_ || vault_trouble_->message != trouble->message))
        log_vault(*trouble);
    else if (!trouble && vault_trouble_)
        log_event(log_level::info, "vault", {{"message", "the vault works again"}});
    vault_trouble_ = trouble;
}

} // namespace reauth
