// Put together, started, stopped, and looked at.
#include "proxy/recovery/manager.hpp"

#include "conf/client_entry.hpp"
#include "core/crypto/random.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::chrono::seconds tick_length{1}, idle_tick{30};

} // namespace

credential_manager::credential_manager(asio::io_context& control, fetcher& network, credential_store& store,
                                       approvals& book, flow_environment env, snapshot_publisher publish)
    : book_(book), env_(std::move(env)), vault_(control), locks_(control.get_executor(), vault_, store),
      context_{control.get_executor(),       network, store, vault_, env_, sessions_, locks_, callers_,
               random_token(env_.random, 12)},
      lives_(context_,
             [this](life_entry& m, life_actions actions) { effects_.perform(m, std::move(actions)); }),
      keys_(control, context_), recorder_(control.get_executor(), store, vault_, env_, context_.process),
      audit_(control.get_executor(), store, vault_), record_(recorder_),
      approvals_(context_, lives_, book, record_),
      requests_(control, context_, lives_, replies_, book, record_, keys_),
      sessions_(context_, lives_, replies_), rules_(context_, lives_, book, record_),
      identities_(context_, lives_, replies_, record_),
      persons_(context_, lives_, replies_, approvals_, rules_, identities_, audit_),
      signals_(context_, lives_, keys_, identities_),
      people_(context_, lives_, signals_, identities_, audit_), evidence_(recorder_, audit_, lives_),
      watch_(context_, lives_, approvals_, rules_, identities_),
      effects_(context_, lives_, replies_, requests_, approvals_, sessions_, record_, std::move(publish)),
      ticker_(control.get_executor()) {
    recorder_.on_entry([this](const history_entry& e) { audit_.happened(e); });
    lives_.on_made([this](life_entry& m) { made(m); }, [this](life_entry& m) { loaded(m); });
    lives_.on_stir([this] {
        if (slow_ && !stopped_)
            tick();
    });
    book_.on_look([this](const std::string& id) { requests_.looked_at(id); });
    tick();
}

credential_manager::~credential_manager() {
    book_.on_look({});
}

void credential_manager::made(life_entry& m) {
    rules_.tell(m);
    if (const auto* session = lives_.session_of(m); session && session->loaded)
        sessions_.tell(*session, m.key);
}

void credential_manager::loaded(life_entry& m) {
    if (m.key.session)
        sessions_.tell_all(m);
    if (started_) // else all of them are taken up at once
        asio::co_spawn(context_.ex, approvals_.read_changed(std::string()), asio::detached);
}

result<void> credential_manager::start(std::shared_ptr<const routing_table> table) {
    if (auto begun = watch_.begin(); !begun) // from now on we hear of what others write
        return begun;
    recorder_.use(table->settings->recorder);
    auto known = identities_.load();
    if (!known)
        return known;
    auto loaded = lives_.load_all(std::move(table));
    if (!loaded)
        return loaded;
    auto rules = context_.store.rules();
    if (rules)
        rules_.take(std::move(*rules));
    else // no reason not to start: then people are asked
        watch_.note(rules.error());
    approvals_.take_up();
    started_ = true;
    identities_.finish_begun();
    signals_.poll();
    if (context_.store.records().shared())
        watch_.listen();
    return {};
}

void credential_manager::use(std::shared_ptr<const routing_table> table) {
    recorder_.use(table->settings->recorder);
    lives_.use(std::move(table));
    signals_.poll();
    for (auto* m : lives_.all())
        if (m->key.session)
            sessions_.tell_all(*m);
}

/// Every second while something is due or under way; what only rests can wait for half a minute.
void credential_manager::tick() {
    slow_ = lives_.idle() && book_.waiting().empty();
    ticker_.expires_after(slow_ ? idle_tick : tick_length);
    ticker_.async_wait([this](error_code ec) {
        if (ec || stopped_)
            return;
        pass_time();
        tick();
    });
}

void credential_manager::pass_time() {
    lives_.pass_time();
    book_.forget_old(env_.now());
}

void credential_manager::stop() {
    stopped_ = true;
    ticker_.cancel();
    watch_.stop();
    locks_.stop();
    requests_.stop();
    keys_.stop();
    signals_.stop();
    effects_.stop();
    for (const auto* m : lives_.all())
        lives_.tell(m->key, life::stopping{});
}

std::vector<std::string> credential_manager::unsaved() const {
    std::vector<std::string> names;
    for (const auto* m : lives_.all())
        if (!m->life.saved())
            names.push_back(m->key.name);
    return names;
}

/// Of every principal that the configuration names, and of so many of the others as a person can look
/// through.
std::set<life_key> credential_manager::shown_keys() const {
    constexpr std::size_t most_others = 1000;
    auto keys = life_keys(*lives_.table(), false);
    const auto most = keys.size() + most_others;
    for (const auto* m : lives_.all())
        if (!m->key.session && m->place.principal.outside() && keys.size() < most)
            keys.insert(m->key);
    for (const auto& [key, rest] : lives_.resting())
        if (!key.session && rest.principal.outside() && keys.size() < most)
            keys.insert(key);
    return keys;
}

std::optional<credential_summary> credential_manager::summary_of(const life_key& key) const {
    const auto& table = lives_.table();
    const auto& settings = *table->settings;
    const auto place = find_binding(table, key);
    if (!place)
        return std::nullopt;
    const auto& upstream = place->upstream();
    credential_summary s;
    s.upstream = upstream.name;
    s.principal = key.principal;
    s.grant = upstream.grant;
    s.url = upstream.url;
    s.client_url = client_url(settings, upstream);
    s.program = stdio_command(settings, upstream, false);
    s.bearer = takes(settings.client_auth, caller_proof::bearer);
    const auto* m = lives_.find(key);
    const auto rest = lives_.resting().find(key);
    const bool rests = rest != lives_.resting().end();
    const auto* held = m                                 ? m->life.held()
                       : rests && rest->second.published ? &rest->second.published->held
                                                         : nullptr;
    if (held && !held->access_token.empty()) {
        s.held = true;
        s.renewable = m ? m->life.renewable() : rest->second.renewable;
        s.saved = !m || m->life.saved();
        s.issuer = held->issuer;
        s.account = held->account;
        s.scopes = held->granted;
        s.expires_at = held->expires_at;
    }
    const auto last = m ? m->last : rests ? rest->second.last : last_outcome();
    s.last_recovery_at = last.at;
    s.last_recovery = last.what;
    s.last_outcome = last.code;
    s.last_outcome_detail = last.detail;
    return s;
}

std::vector<credential_summary> credential_manager::summaries() const {
    std::vector<credential_summary> all;
    for (const auto& key : shown_keys())
        if (auto s = summary_of(key))
            all.push_back(std::move(*s));
    return all;
}

std::vector<credential_summary> credential_manager::summaries(const std::string& principal) const {
    std::vector<credential_summary> all;
    for (const auto& r : lives_.table()->routes)
        if (auto s = summary_of({false, principal, r->upstream->name}))
            all.push_back(std::move(*s));
    return all;
}

std::map<std::string, unsigned> credential_manager::held_by_upstream() const {
    std::map<std::string, unsigned> counts;
    for (const auto& r : lives_.table()->routes)
        counts[r->upstream->name] = 0;
    const auto count = [&](const life_key& key, bool held) {
        if (const auto found = counts.find(key.name); held && !key.session && found != counts.end())
            ++found->second;
    };
    for (const auto* m : lives_.all())
        count(m->key, m->life.held() != nullptr);
    for (const auto& [key, rest] : lives_.resting())
        count(key, rest.published && !rest.published->held.access_token.empty());
    return counts;
}

std::vector<credential_manager::credential_count> credential_manager::credential_states() const {
    const auto now = env_.now();
    std::map<std::pair<std::string, std::string>, unsigned> counts;
    const auto count = [&](const std::string& name, const credential* held, bool saved) {
        const bool there = held && !held->access_token.empty();
        const bool over = there && held->expires_at && *held->expires_at <= now;
        ++counts[{name, !there ? "missing" : over ? "expired" : "valid"}];
        if (!saved)
            ++counts[{name, "unsaved"}];
    };
    for (const auto* m : lives_.all())
        if (!m->key.session && !m->removed)
            count(m->key.name, m->life.held(), m->life.saved());
    for (const auto& [key, rest] : lives_.resting())
        if (!key.session)
            count(key.name, rest.published ? &rest.published->held : nullptr, true);
    std::vector<credential_count> all;
    for (const auto& r : lives_.table()->routes)
        for (const auto* state : {"valid", "expired", "missing", "unsaved"})
            all.push_back({r->upstream->name, std::string(to_string(r->upstream->grant)), state,
                           counts[{r->upstream->name, state}]});
    return all;
}

std::map<std::string, time_point> credential_manager::soonest_expiries() const {
    std::map<std::string, time_point> all;
    const auto see = [&](const life_key& key, const credential* held, bool renewable) {
        if (key.session || !held || held->access_token.empty() || !held->expires_at || renewable)
            return;
        const auto [found, first] = all.emplace(key.name, *held->expires_at);
        found->second = std::min(found->second, *held->expires_at);
    };
    for (const auto* m : lives_.all())
        if (!m->removed)
            see(m->key, m->life.held(), m->life.renewable());
    for (const auto& [key, rest] : lives_.resting())
        see(key, rest.published ? &rest.published->held : nullptr, rest.renewable);
    return all;
}

void credential_manager::look_up(const std::string& principal) {
    for (const auto& r : lives_.table()->routes) {
        const life_key key{false, principal, r->upstream->name};
        if (!lives_.resting().contains(key))
            lives_.need(key);
    }
}

std::vector<idp_session_summary> credential_manager::idp_sessions() const {
    std::vector<idp_session_summary> all;
    for (const auto* m : lives_.all()) {
        const auto* held = m->life.held();
        if (!m->key.session || m->removed || !held)
            continue;
        idp_session_summary s;
        s.identity_provider = m->key.name;
        s.principal = m->key.principal;
        s.issuer = held->issuer;
        s.subject = held->subject;
        s.expires_at = held->expires_at;
        s.renewable = !held->refresh_token.empty();
        s.supplied = m->place.whose.supplied;
        all.push_back(std::move(s));
    }
    return all;
}

} // namespace reauth
