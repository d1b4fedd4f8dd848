// Sessions at identity providers: what the lives that are minted from them are told, and what a mint asks of
// them.
#include "proxy/recovery/manager.hpp"

namespace reauth {
namespace {

constexpr std::chrono::seconds last_moment{5}; ///< an ID token that lives so long yet may still be sent

} // namespace

void credential_manager::tell_session_to_all(const member& session) {
    for (const auto& [key, m] : lives_)
        if (!key.session && session_of_member(*m) == &session)
            tell_session(session, key);
}

void credential_manager::tell_session(const member& session, const life_key& to) {
    life::session_changed now;
    const auto* held = session.machine.held();
    const bool supplied = session.place.whose.supplied;
    // one that is supplied is tried whatever its state: the failure tells what is wrong with it
    now.held = held || supplied;
    now.renewable = supplied || session.machine.renewable();
    now.may_login = !supplied;
    if (held)
        now.expires_at = held->expires_at;
    tell(to, now);
}

void credential_manager::perform(member& m, const life::ask_session& a) {
    auto* session = session_of_member(m);
    if (!session) {
        tell(m.key, life::session_asked{failure::permanent(fault::internal, "no identity provider")});
        return;
    }
    const auto caller = next_++;
    lives_asking_.emplace(caller, m.key);
    life::login_asked wanted;
    wanted.caller = caller;
    wanted.what = a.what;
    wanted.for_life = !a.by_operator;
    wanted.upstream = m.key.name;
    tell(session->key, std::move(wanted));
}

void credential_manager::perform(member& m, const life::question_refused& a) {
    if (!m.key.session)
        return;
    for (const auto& [key, other] : lives_)
        if (!key.session && session_of_member(*other) == &m)
            tell(key, life::session_refused{a.why, a.again});
}

std::string credential_manager::subject_of(const member& m) const {
    if (m.key.session)
        return m.machine.held() ? m.machine.held()->subject : "";
    if (m.place.where.upstream().grant != grant_kind::enterprise)
        return {};
    const auto* session = find({true, m.key.principal, m.place.where.upstream().identity_provider});
    return session && session->machine.held() ? session->machine.held()->subject : "";
}

/// Asks the session's life for a newer one, as a request that nobody may be asked for.
task<life::answer> credential_manager::renew_session(life_key key, std::uint64_t generation, bool refused) {
    life::refused ask;
    ask.request = next_++;
    ask.what.challenge.kind = refused ? challenge_kind::invalid_token : challenge_kind::token_expired;
    ask.what.sent_generation = ask.what.first_generation = generation;
    ask.what.person = person_use::never;
    ask.what.notice_only = true;
    reply<life::answer> end(context_.ex);
    renewals_.emplace(ask.request, end);
    tell(key, std::move(ask));
    auto answer = co_await end.wait();
    co_return answer;
}

task<result<idp_session>> credential_manager::usable_session(std::string provider, std::string principal,
                                                             std::uint64_t refused) {
    const life_key key{true, principal, provider};
    const failure gone =
        failure::permanent(fault::reauth_failed, "nobody is signed in at identity provider " + provider,
                           "log in at the identity provider");
    for (int tries = 0; tries < 3; ++tries) {
        auto* m = find(key);
        if (!m)
            co_return gone;
        if (m->place.whose.supplied) {
            auto token = supplied_token(m->place, env_.now());
            tell(key, life::supplied{token});
            if (!token)
                co_return token.error();
            auto supplied = session_of(*token, provider);
            supplied.supplied = true;
            co_return supplied;
        }
        const auto* held = m->machine.held();
        if (!held)
            co_return gone;
        auto session = session_of(*held, provider);
        const auto before = session.id_token;
        const bool still_good = state_of(session, env_.now(), last_moment) == session_state::ready;
        const auto state = state_of(session, env_.now());
        if (session.generation != refused) {
            if (state == session_state::ready || (state == session_state::gone && still_good))
                co_return session;
            if (state == session_state::gone)
                co_return gone;
            if (m->no_new_id_token || tries > 0)
                co_return session;
        }
        auto answer = co_await renew_session(key, session.generation, session.generation == refused);
        if (answer.is == life::verdict::replay) {
            auto* renewed = find(key);
            const auto* now = renewed ? renewed->machine.held() : nullptr;
            if (now)
                renewed->no_new_id_token = now->access_token == before;
            if (now && now->access_token == before && refused != 0) {
                // no new ID token came, so leg 2 has to go by the refresh token
                auto by_refresh_token = session_of(*now, provider);
                by_refresh_token.expires_at = env_.now();
                co_return by_refresh_token;
            }
            continue;
        }
        // an ID token that lives some seconds yet is as good as a new one
        if (answer.why.transient && still_good && refused == 0)
            co_return session;
        if (!answer.why.transient) // neither its ID token nor its refresh token is good for anything any more
            session_dead(provider, principal, session.generation);
        co_return answer.why;
    }
    co_return gone;
}

void credential_manager::session_dead(const std::string& provider, const std::string& principal,
                                      std::uint64_t generation) {
    tell({true, principal, provider}, life::found_dead{generation});
}

/// Known to the session's life since its last login or renewal; else looked up.
task<result<authorization_server>> credential_manager::provider_metadata(std::string provider,
                                                                         std::string principal) {
    auto* m = find({true, principal, provider});
    if (!m)
        co_return failure::permanent(fault::invalid_configuration, "no identity provider " + provider);
    const auto known = providers_.find(m->place.whose.url);
    if (known != providers_.end() && env_.now() < known->second.since + credential_life::metadata_lifetime)
        co_return known->second.server;
    auto place = m->place;
    life::discover what{0, {}, {}};
    auto end = co_await discover_work(context_, place, std::move(what));
    const auto& found = std::get<life::discovered>(end).found;
    if (!found)
        co_return found.error();
    providers_[place.whose.url] = known_provider{found->server, env_.now()};
    co_return found->server;
}

} // namespace reauth
