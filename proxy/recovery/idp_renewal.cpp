// Renewal of a session at an identity provider: one at a time in this process, and across processes by a
// lease.
#include "proxy/recovery/idp_desk.hpp"

#include "policy/refresh_flow.hpp"
#include "proxy/log.hpp"
#include "proxy/recovery/lease.hpp"

namespace reauth {
namespace {

failure gone(const std::string& name) {
    return {fault::reauth_failed, "nobody is signed in at identity provider " + name,
            "log in at the identity provider", "", false};
}

} // namespace

task<result<idp_session>> idp_desk::usable(const config& settings, std::string name, std::string principal) {
    co_await look(settings, name, principal);
    auto& h = held_by(principal, name);
    if (h.problem)
        co_return *h.problem;
    if (!h.session)
        co_return gone(name);
    auto state = state_of(*h.session, env_.now());
    bool still_good = state_of(*h.session, env_.now(), std::chrono::seconds(5)) == session_state::ready;
    if (state == session_state::ready || (state == session_state::gone && still_good))
        co_return *h.session;
    if (state == session_state::gone)
        co_return gone(name);
    if (h.renewal_is_no_use)
        co_return *h.session;
    auto before = *h.session;
    auto fresh = co_await renew(settings, name, principal);
    // an ID token that lives some seconds yet is as good as a new one
    if (!fresh && fresh.error().transient && still_good)
        co_return before;
    co_return fresh;
}

task<result<idp_session>> idp_desk::renewed(const config& settings, std::string name, std::string principal,
                                            idp_session refused) {
    auto& h = held_by(principal, name);
    if (h.session && !(h.session->id_token == refused.id_token))
        co_return *h.session;
    auto fresh = co_await renew(settings, name, principal);
    if (fresh && fresh->id_token == refused.id_token) {
        // no new ID token came, so leg 2 has to go by the refresh token
        fresh->expires_at = env_.now();
        auto kept = co_await keep(principal, *fresh);
        if (!kept)
            co_return kept.error();
        held_by(principal, name).renewal_is_no_use = true;
    }
    co_return fresh;
}

task<result<idp_session>> idp_desk::renew(const config& settings, std::string name, std::string principal) {
    std::function<task<result<idp_session>>()> work = [this, &settings, &name, &principal] {
        return renew_with_lease(settings, name, principal);
    };
    co_return co_await held_by(principal, name).renewal.run(ex_, std::move(work));
}

task<result<idp_session>> idp_desk::renew_with_lease(const config& settings, std::string name,
                                                     std::string principal) {
    auto& h = held_by(principal, name);
    auto server = co_await server_of(settings, name);
    if (!server)
        co_return server.error();
    auto client = client_at(settings, name, *server);
    if (!client)
        co_return client.error();
    auto lease = "idp|" + name + "|" + principal;
    auto won = co_await win_lease(ex_, vault_, store_, lease, holder_, 4 * settings.limits.token_request);
    if (!won)
        co_return failure{fault::vault_unavailable,
                          "another process holds the session at identity provider " + name, "try again", "",
                          true};
    auto read = [&] { return store_.find_session(principal, name); };
    auto stored = co_await vault_.run(read);
    result<idp_session> fresh = gone(name);
    if (!stored) {
        fresh = stored.error();
    } else if (*stored) {
        auto current = std::move(**stored);
        bool newer = h.session && !(current.refresh_token == h.session->refresh_token &&
                                    current.id_token == h.session->id_token);
        h.session = current;
        if (newer && state_of(current, env_.now()) == session_state::ready) {
            fresh = current; // another process has done it
        } else {
            idp_renewal_inputs inputs;
            inputs.server = *server;
            inputs.client = client->identity;
            inputs.session = current;
            auto options = options_for(settings, name);
            auto work = renew_idp_session(env_, std::move(inputs));
            fresh = co_await drive(ex_, network_, options, std::move(work));
            if (fresh) {
                bool same = fresh->id_token == current.id_token;
                auto kept = co_await keep(principal, *fresh);
                if (!kept)
                    fresh = kept.error();
                else
                    held_by(principal, name).renewal_is_no_use = same;
            } else if (!fresh.error().transient && ends_grant(fresh.error())) {
                auto dropped = co_await drop(principal, current);
                if (!dropped)
                    log_event(log_level::warn, "vault", {{"message", dropped.error().describe()}});
            }
        }
    } else {
        h.session.reset(); // signed out elsewhere
    }
    co_await give_back_lease(vault_, store_, lease, holder_);
    if (!fresh)
        log_event(log_level::warn, "session renewal failed",
                  {{"identity_provider", name},
                   {"principal", principal},
                   {"code", std::string(to_string(fresh.error().code))},
                   {"message", fresh.error().describe()}});
    co_return fresh;
}

} // namespace reauth
