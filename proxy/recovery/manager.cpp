// Which lives there are, as the configuration says; what the vault and supplied files hold for them; the
// clock.
#include "proxy/recovery/manager.hpp"

#include "core/text/uri.hpp"
#include "proxy/log/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <filesystem>

namespace reauth {
namespace {

constexpr std::chrono::seconds tick_length{1};

std::shared_ptr<const rule_set> no_rules() {
    static const auto none = std::make_shared<const rule_set>();
    return none;
}

std::string time_of_change(const secret_source& source) {
    if (source.from != secret_source::kind::file)
        return {};
    std::error_code ec;
    const auto when = std::filesystem::last_write_time(source.name, ec);
    return ec ? "missing" : std::to_string(when.time_since_epoch().count());
}

} // namespace

credential_manager::credential_manager(asio::io_context& control, fetcher& network, credential_store& store,
                                       approvals& book, flow_environment env, publisher publish)
    : control_(control), store_(store), book_(book), env_(std::move(env)), publish_(std::move(publish)),
      vault_(control), locks_(control.get_executor(), vault_, store),
      context_{control.get_executor(), network, store, vault_, env_, *this, random_token(env_.random, 12)},
      ticker_(control.get_executor()), listener_(control.get_executor()) {
    book_.on_look([this](const std::string& id) { looked_at(id); });
    tick();
}

credential_manager::~credential_manager() {
    book_.on_look({});
}

life_place credential_manager::place_of(const route& r, std::size_t principal) const {
    life_place place;
    place.where = {table_, &r, principal};
    const auto& u = *r.upstream;
    auto& whose = place.whose;
    whose.principal = place.where.principal_name();
    whose.upstream = u.name;
    whose.url = u.url;
    whose.resource = u.resource;
    whose.grant = u.grant;
    whose.scopes = u.scopes;
    whose.issuer = u.client.issuer;
    whose.headers = u.header_binding;
    whose.server = u.authorization_server;
    if (u.bearer == bearer_kind::id_token)
        whose.always_asked = {"openid"};
    whose.supplied = u.grant == grant_kind::static_token;
    whose.browser_login = u.login == login_kind::browser;
    whose.may_push = u.par != par_mode::never;
    // the rules live as long as the table they came with
    whose.rules = std::shared_ptr<const rule_set>(table_, &table_->settings->policy);
    whose.approval_lifetime = table_->settings->approval.lifetime;
    return place;
}

life_place credential_manager::place_of_session(const std::string& provider,
                                                const std::string& principal) const {
    const auto& p = table_->settings->identity_providers.at(provider);
    life_place place;
    place.where.table = table_;
    place.provider = provider;
    auto& whose = place.whose;
    whose.principal = principal;
    whose.upstream = provider;
    whose.url = p.issuer;
    whose.resource = p.client.id;
    whose.supplied = p.id_token.from != secret_source::kind::none;
    whose.grant = whose.supplied ? grant_kind::static_token : grant_kind::idp_session;
    whose.scopes = scope_set{"openid", "offline_access"};
    whose.rules = no_rules();
    whose.approval_lifetime = table_->settings->approval.lifetime;
    return place;
}

credential_manager::member* credential_manager::find(const life_key& key) {
    const auto found = lives_.find(key);
    return found == lives_.end() ? nullptr : found->second.get();
}

const credential_manager::member* credential_manager::find(const life_key& key) const {
    const auto found = lives_.find(key);
    return found == lives_.end() ? nullptr : found->second.get();
}

credential_manager::member* credential_manager::with_question(const std::string& approval) {
    const auto found = asked_by_.find(approval);
    return found == asked_by_.end() ? nullptr : find(found->second);
}

credential_manager::member* credential_manager::session_of_member(const member& m) {
    if (m.key.session || m.place.where.upstream().grant != grant_kind::enterprise)
        return nullptr;
    return find({true, m.key.principal, m.place.where.upstream().identity_provider});
}

result<void> credential_manager::start(std::shared_ptr<const routing_table> table) {
    table_ = std::move(table);
    configure(true);
    if (auto begun = store_.records().changes(); !begun) // from now on we hear of what others write
        return begun.error();
    for (auto& [key, m] : lives_) {
        auto loaded = load_now(*m);
        if (!loaded)
            return loaded;
    }
    for (auto& [key, m] : lives_)
        if (key.session)
            tell_session_to_all(*m);
    take_rules(store_.rules());
    take_up_questions();
    if (store_.records().shared())
        listen();
    return {};
}

void credential_manager::use(std::shared_ptr<const routing_table> table) {
    table_ = std::move(table);
    configure(false);
    for (auto& [key, m] : lives_)
        if (key.session)
            tell_session_to_all(*m);
}

/// Makes lives for what is configured, tells those that are there, and takes leave of the others.
void credential_manager::configure(bool first) {
    std::set<life_key> wanted;
    const auto& settings = *table_->settings;
    std::set<std::string> principals;
    for (const auto& r : table_->routes)
        for (std::size_t p = 0; p < r->credentials.size(); ++p) {
            auto place = place_of(*r, p);
            principals.insert(place.whose.principal);
            const life_key key{false, place.whose.principal, r->upstream->name};
            wanted.insert(key);
            configure_member(key, std::move(place), r->credentials[p], first);
        }
    for (const auto& [name, provider] : settings.identity_providers)
        for (const auto& principal : principals) {
            const life_key key{true, principal, name};
            wanted.insert(key);
            configure_member(key, place_of_session(name, principal), 0, first);
        }
    for (auto& [key, m] : lives_)
        if (!wanted.contains(key) && !m->removed) {
            m->removed = true;
            tell(key, life::removed{});
        }
}

void credential_manager::configure_member(const life_key& key, life_place place, std::size_t number,
                                          bool first) {
    if (const auto gate = gates_.find(key); gate != gates_.end())
        gate->second->reconfigure(gate_target(place));
    auto& m = lives_[key];
    if (!m) {
        credential_life machine(place.whose, env_.random);
        m = std::make_unique<member>(
            member{key, std::move(machine), std::move(place), number, {}, false, {}, false, {}, {}});
        if (!key.session && remembered_)
            tell(key, life::remembered{remembered_});
        if (!first)
            asio::co_spawn(context_.ex, load_later(key), asio::detached);
        return;
    }
    const bool back = std::exchange(m->removed, false);
    // it says goodbye to the workers under its old number, and then uses the new one
    tell(key, life::reconfigured{place.whose});
    const bool moved = m->number != number;
    m->place = std::move(place);
    m->number = number;
    if (back || moved || m->place.whose.supplied)
        asio::co_spawn(context_.ex, load_later(key), asio::detached);
}

/// Blocks: for the start only, before anything else uses the vault.
result<void> credential_manager::load_now(member& m) {
    const auto& whose = m.place.whose;
    if (whose.supplied) {
        auto token = supplied_token(m.place, env_.now());
        if (!token && !m.key.session)
            return token.error();
        tell(m.key, life::supplied{std::move(token)});
        return {};
    }
    life::stored_state state;
    if (m.key.session) {
        auto found = store_.find_session(m.key.principal, m.key.name);
        if (!found)
            return found.error();
        state = std::move(*found);
    } else {
        auto pinned = store_.pinned_issuer(m.key.principal, m.key.name);
        if (!pinned)
            return pinned.error();
        if (!*pinned)
            return {};
        auto found = store_.find_credential(m.key.principal, m.key.name, **pinned);
        if (!found)
            return found.error();
        state = std::move(*found);
        state.pinned_issuer = **pinned;
    }
    tell(m.key, life::loaded{std::move(state)});
    return {};
}

task<void> credential_manager::load_later(life_key key) {
    auto* m = find(key);
    if (!m)
        co_return;
    if (m->place.whose.supplied) {
        tell(key, life::supplied{supplied_token(m->place, env_.now())});
        co_return;
    }
    life::look what{0, {}};
    auto end = co_await look_work(context_, m->place, std::move(what));
    const auto* looked = std::get_if<life::looked>(&end);
    if (looked && looked->found)
        tell(key, life::loaded{*looked->found});
    else if (looked)
        log_event(log_level::warn, "vault", {{"message", looked->found.error().describe()}});
    co_await hear_question(std::string());
}

void credential_manager::tick() {
    ticker_.expires_after(tick_length);
    ticker_.async_wait([this](error_code ec) {
        if (ec || stopped_)
            return;
        pass_time();
        tick();
    });
}

void credential_manager::pass_time() {
    for (const auto& [key, g] : gates_)
        tell_gate(key, life::time_passed{});
    for (auto& [key, m] : lives_) {
        tell(key, life::time_passed{});
        look_at_supply(*m);
    }
    book_.forget_old(env_.now());
}

void credential_manager::look_at_supply(member& m) {
    if (!m.place.whose.supplied || m.removed)
        return;
    const auto& source = m.key.session ? m.place.idp().id_token : m.place.where.upstream().token;
    auto changed = time_of_change(source);
    if (changed.empty() || changed == m.supply_seen)
        return;
    const bool first = m.supply_seen.empty();
    m.supply_seen = std::move(changed);
    if (!first)
        tell(m.key, life::supplied{supplied_token(m.place, env_.now())});
}

void credential_manager::stop() {
    stopped_ = true;
    ticker_.cancel();
    listener_.cancel();
    locks_.stop();
    for (auto& [key, m] : lives_)
        tell(key, life::stopping{});
    for (const auto& [key, g] : gates_)
        tell_gate(key, life::stopping{});
}

bool credential_manager::quiet() const {
    for (const auto& [key, m] : lives_)
        if (!m->machine.quiet())
            return false;
    return true;
}

std::vector<std::string> credential_manager::unsaved() const {
    std::vector<std::string> names;
    for (const auto& [key, m] : lives_)
        if (!m->machine.saved())
            names.push_back(key.name);
    return names;
}

} // namespace reauth
