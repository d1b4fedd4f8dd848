// Asked, told, renewed.
#include "proxy/recovery/session_desk.hpp"

namespace reauth {
namespace {

constexpr std::chrono::seconds last_moment{5}; ///< an ID token that lives so long yet may still be sent

} // namespace

void session_desk::tell_all(const life_entry& session) {
    for (const auto* m : lives_.minted_from(session))
        tell(session, m->key);
}

void session_desk::tell(const life_entry& session, const life_key& to) {
    life::session_changed now;
    const auto* held = session.life.held();
    const bool supplied = session.place.whose.supplied;
    // one that is supplied is tried whatever its state: the failure tells what is wrong with it
    now.held = held || supplied;
    now.renewable = supplied || session.life.renewable();
    now.may_login = !supplied;
    if (held)
        now.expires_at = held->expires_at;
    lives_.tell(to, now);
}

void session_desk::ask(const life_entry& m, const life::ask_session& a) {
    const auto* session = lives_.session_of(m);
    if (!session) {
        lives_.tell(m.key, life::session_asked{failure::permanent(fault::internal, "no identity provider")});
        return;
    }
    life::login_asked wanted;
    wanted.caller = replies_.number();
    wanted.what = a.what;
    wanted.for_life = !a.by_operator;
    wanted.upstream = m.key.name;
    replies_.expect<result<std::string>>(wanted.caller, [this, key = m.key](result<std::string> opened) {
        lives_.tell(key, life::session_asked{std::move(opened)});
    });
    lives_.tell(session->key, std::move(wanted));
}

void session_desk::refused(const life_entry& session, const life::approval_refused& a) {
    if (!session.key.session)
        return;
    for (const auto* m : lives_.minted_from(session))
        lives_.tell(m->key, life::session_refused{a.why, a.again});
}

void session_desk::found(const life_entry& session, const discovered_server& server) {
    providers_[session.place.whose.url] = known_provider{server.server, context_.env.now()};
}

std::string session_desk::subject_of(const life_entry& m) const {
    if (m.key.session)
        return m.life.held() ? m.life.held()->subject : "";
    if (!m.place.upstream().mints_from_session())
        return {};
    const auto& lives = std::as_const(lives_);
    const auto* session = lives.find({true, m.key.principal, m.place.upstream().identity_provider});
    return session && session->life.held() ? session->life.held()->subject : "";
}

/// Asks the session's life for a newer one, as a request that nobody may be asked for.
task<life::answer> session_desk::renew(life_key key, std::uint64_t generation, bool refused) {
    life::refused ask;
    ask.request = replies_.number();
    ask.what.challenge.kind = refused ? challenge_kind::invalid_token : challenge_kind::token_expired;
    ask.what.sent_generation = ask.what.first_generation = generation;
    ask.what.person = person_use::never;
    ask.what.notice_only = true;
    const auto end = replies_.expect<life::answer>(ask.request, context_.ex);
    lives_.tell(key, std::move(ask));
    auto answer = co_await end.wait();
    co_return answer;
}

task<result<idp_session>> session_desk::usable_session(std::string provider, std::string principal,
                                                       std::uint64_t refused) {
    const life_key key{true, principal, provider};
    const failure gone =
        failure::permanent(fault::reauth_failed, "nobody is signed in at identity provider " + provider,
                           "log in at the identity provider");
    for (int tries = 0; tries < 3; ++tries) {
        auto* m = lives_.need(key);
        if (!m)
            co_return gone;
        if (m->place.whose.supplied) {
            auto token = supplied_token(m->place, context_.env.now());
            lives_.tell(key, life::supplied{token});
            if (!token)
                co_return token.error();
            auto supplied = session_of(*token, provider);
            supplied.supplied = true;
            co_return supplied;
        }
        const auto* held = m->life.held();
        if (!held)
            co_return gone;
        auto session = session_of(*held, provider);
        const auto before = session.id_token;
        const bool still_good = state_of(session, context_.env.now(), last_moment) == session_state::ready;
        const auto state = state_of(session, context_.env.now());
        if (session.generation != refused) {
            if (state == session_state::ready || (state == session_state::gone && still_good))
                co_return session;
            if (state == session_state::gone)
                co_return gone;
            if (m->no_new_id_token || tries > 0)
                co_return session;
        }
        auto answer = co_await renew(key, session.generation, session.generation == refused);
        if (answer.is == recovery_verdict::kind::replay) {
            auto* renewed = lives_.need(key);
            const auto* now = renewed ? renewed->life.held() : nullptr;
            if (now)
                renewed->no_new_id_token = now->access_token == before;
            if (now && now->access_token == before && refused != 0) {
                // no new ID token came, so leg 2 has to go by the refresh token
                auto by_refresh_token = session_of(*now, provider);
                by_refresh_token.expires_at = context_.env.now();
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

void session_desk::session_dead(const std::string& provider, const std::string& principal,
                                std::uint64_t generation) {
    lives_.tell({true, principal, provider}, life::found_dead{generation});
}

/// Known to a session's life since its last login or renewal; else looked up.
task<result<authorization_server>> session_desk::provider_metadata(std::string provider) {
    auto place = provider_binding(lives_.table(), provider);
    if (!place)
        co_return failure::permanent(fault::invalid_configuration, "no identity provider " + provider);
    const auto issuer = place->whose.url;
    const auto known = providers_.find(issuer);
    if (known != providers_.end() && context_.env.now() < known->second.since + server_search::lifetime)
        co_return known->second.server;
    life::discover what{0, {}, {}};
    auto end = co_await carry_out(context_, *place, std::move(what));
    const auto& found = std::get<life::discovered>(end).found;
    if (!found)
        co_return found.error();
    providers_[issuer] = known_provider{found->server, context_.env.now()};
    co_return found->server;
}

} // namespace reauth
