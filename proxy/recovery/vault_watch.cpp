// Asked for changes, over and over.
#include "proxy/recovery/vault_watch.hpp"

#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace reauth {
namespace {

constexpr std::chrono::milliseconds shortest_pause{50};

/// A number may have been given to another file since.
bool same_file(int one, int other) {
    struct stat a{}, b{};
    return one >= 0 && other >= 0 && ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

} // namespace

result<void> vault_watch::begin() {
    auto begun = context_.store.records().changes();
    return begun ? result<void>{} : result<void>(begun.error());
}

void vault_watch::stop() {
    stopped_ = true;
    timer_.cancel();
    error_code ignored;
    bell_.close(ignored);
}

void vault_watch::listen() {
    listen_to(trouble_ ? vault_bell{} : context_.store.records().bell());
}

/// Waits for the bell, but not for ever. Between calls the vault is another thread's: here it is at rest.
void vault_watch::listen_to(const vault_bell& bell) {
    if (!same_file(bell_.native_handle(), bell.descriptor)) {
        error_code ignored;
        bell_.close(ignored);
        rung_for_ = false;
        if (const int copy = bell.descriptor < 0 ? -1 : ::fcntl(bell.descriptor, F_DUPFD_CLOEXEC, 0);
            copy >= 0)
            bell_.assign(copy, ignored);
    }
    timer_.expires_after(bell_.is_open() ? bell.patience : std::min(bell.patience, vault_bell{}.patience));
    timer_.async_wait([this](error_code ec) {
        if (!ec)
            look();
    });
    if (!bell_.is_open() || rung_for_)
        return;
    rung_for_ = true;
    bell_.async_wait(asio::posix::descriptor_base::wait_read, [this](error_code ec) {
        if (ec)
            return;
        rung_for_ = false;
        if (looking_ || stopped_)
            return;
        // who writes much is not read after each write
        timer_.expires_at(looked_ + shortest_pause);
        timer_.async_wait([this](error_code cut) {
            if (!cut)
                look();
        });
    });
}

void vault_watch::look() {
    if (!stopped_ && !std::exchange(looking_, true))
        asio::co_spawn(context_.ex, read_changes(), asio::detached);
}

task<void> vault_watch::read_changes() {
    vault_bell bell;
    auto read = [this, &bell] {
        auto changes = context_.store.records().changes();
        bell = context_.store.records().bell();
        return changes;
    };
    auto heard = co_await context_.vault.run(read);
    looked_ = std::chrono::steady_clock::now();
    note(heard ? std::optional<failure>() : heard.error());
    if (heard)
        for (auto& change : *heard)
            co_await on_change(std::move(change));
    looking_ = false;
    if (!stopped_)
        listen_to(heard ? bell : vault_bell{});
}

std::vector<life_key> vault_watch::known(bool session) const {
    std::vector<life_key> keys;
    for (const auto* m : std::as_const(lives_).all())
        if (m->key.session == session)
            keys.push_back(m->key);
    for (const auto& [key, rest] : lives_.resting())
        if (key.session == session)
            keys.push_back(key);
    return keys;
}

task<void> vault_watch::on_change(vault_change change) {
    if (change.kind == record_kind::approval) {
        co_await approvals_.read_changed(change.key);
        co_return;
    }
    if (change.kind == record_kind::rule) {
        co_await rules_.read_changed();
        co_return;
    }
    if (change.kind == record_kind::identity_end) {
        co_await identities_.read_changed(change.key);
        co_return;
    }
    const bool session = change.kind == record_kind::idp_session;
    if (change.kind != record_kind::credential && !session)
        co_return;
    if (change.key.empty()) {
        const auto keys = known(session);
        for (const auto& key : keys)
            co_await on_credential_change(key, std::string());
        co_return;
    }
    const auto parts = split_key(change.key);
    if (!parts || parts->size() != (session ? 2u : 3u))
        co_return;
    life_key key{session, (*parts)[0], (*parts)[1]};
    // who calls from outside is looked up when it calls; another replica's are none of ours
    if (!lives_.find(key) && !lives_.resting().contains(key) &&
        !names_principal(*lives_.table(), key.principal))
        co_return;
    auto issuer = session ? std::string() : (*parts)[2];
    co_await on_credential_change(std::move(key), std::move(issuer));
}

task<void> vault_watch::on_credential_change(life_key key, std::string issuer) {
    const auto* m = lives_.need(key);
    if (!m || !m->loaded || m->place.whose.supplied)
        co_return; // one that is being made looks by itself
    life::look what{0, std::move(issuer)};
    auto end = co_await carry_out(context_, m->place, std::move(what));
    const auto& looked = std::get<life::looked>(end);
    if (looked.found)
        lives_.tell(key, life::vault_changed{*looked.found});
    else
        log_vault_trouble(looked.found.error());
}

void vault_watch::note(const std::optional<failure>& trouble) {
    if (trouble && (!trouble_ || trouble_->message != trouble->message))
        log_vault_trouble(*trouble);
    else if (!trouble && trouble_)
        log_event(log_level::info, "vault", {{"message", "the vault works again"}});
    trouble_ = trouble;
}

} // namespace reauth
