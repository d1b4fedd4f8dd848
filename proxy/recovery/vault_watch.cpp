// Asked for changes, over and over.
#include "proxy/recovery/vault_watch.hpp"

#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::chrono::milliseconds listening_pause{200};

} // namespace

result<void> vault_watch::begin() {
    auto begun = context_.store.records().changes();
    return begun ? result<void>{} : result<void>(begun.error());
}

void vault_watch::stop() {
    stopped_ = true;
    timer_.cancel();
}

void vault_watch::listen() {
    timer_.expires_after(listening_pause);
    timer_.async_wait([this](error_code ec) {
        if (!ec && !stopped_)
            asio::co_spawn(context_.ex, read_changes(), asio::detached);
    });
}

task<void> vault_watch::read_changes() {
    auto look = [this] { return context_.store.records().changes(); };
    auto heard = co_await context_.vault.run(look);
    note(heard ? std::optional<failure>() : heard.error());
    if (heard)
        for (auto& change : *heard)
            co_await on_change(std::move(change));
    if (!stopped_)
        listen();
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
