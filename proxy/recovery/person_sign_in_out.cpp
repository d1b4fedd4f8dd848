// Logins that an operator wishes, and sign-outs.
#include "proxy/recovery/person_desk.hpp"

#include "conf/accounts.hpp"
#include "proxy/recovery/signing_out.hpp"
#include "proxy/recovery/upstream_probe.hpp"

namespace reauth {

failure person_desk::unknown_upstream(const std::string& upstream, const std::string& principal) const {
    std::string known;
    for (const auto& r : lives_.table()->routes)
        known += " " + r->upstream->name;
    return failure::permanent(fault::invalid_configuration,
                              "no upstream " + upstream + " for principal " + principal,
                              "known upstreams:" + known);
}

/// What the upstream asks for where no credential is sent; nothing where it does not say.
task<parsed_challenge> person_desk::challenge_of(configured_binding place) {
    auto options = options_for(place);
    auto request = upstream_probe(place.upstream());
    auto answer = co_await context_.network.fetch(std::move(request), std::move(options));
    if (!answer)
        co_return parsed_challenge();
    co_return read_challenge(answer->status, answer->headers, false);
}

result<void> person_desk::can_log_in(const life_entry& m) {
    const auto grant = m.place.whose.grant;
    failure nothing = failure::permanent(fault::invalid_configuration, {}, "there is nothing to log in to");
    if (grant != grant_kind::authorization_code && grant != grant_kind::enterprise &&
        !m.place.whose.exchange_login) {
        nothing.message =
            "upstream " + m.key.name + " signs in by itself (grant " + std::string(to_string(grant)) + ")";
        return nothing;
    }
    const auto* session = lives_.session_of(m);
    if (session && session->place.whose.supplied) {
        nothing.message = "identity provider " + session->key.name + " is used with a supplied ID token";
        return nothing;
    }
    return {};
}

/// An upstream with accounts is its first one.
std::string person_desk::canonical(const std::string& upstream) const {
    const auto* found = upstream_named(*lives_.table()->settings, upstream);
    return found ? found->name : upstream;
}

task<result<std::string>> person_desk::login(std::string upstream, std::string principal, std::string by) {
    upstream = canonical(upstream);
    auto asking = wishes("login", upstream, principal, std::move(by));
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded.error();
    const life_key key{false, principal, upstream};
    const auto* m = lives_.need(key);
    if (!m)
        co_return unknown_upstream(upstream, principal);
    const auto possible = can_log_in(*m);
    if (!possible)
        co_return possible.error();
    life::login_asked wanted;
    if (!m->life.held() && m->place.whose.grant == grant_kind::authorization_code)
        wanted.what.challenge = co_await challenge_of(m->place);
    if (!lives_.need(key))
        co_return unknown_upstream(upstream, principal);
    wanted.caller = replies_.number();
    const auto answer = replies_.expect<result<std::string>>(wanted.caller, context_.ex);
    lives_.tell(key, std::move(wanted));
    auto opened = co_await answer.wait();
    co_return opened;
}

task<result<revocation_report>> person_desk::sign_out(std::vector<life_key> keys) {
    auto all = co_await sign_out_of(context_, lives_, replies_, std::move(keys));
    if (all.trouble)
        co_return *all.trouble;
    co_return all;
}

task<result<revocation_report>> person_desk::logout(std::string upstream, std::string principal,
                                                    std::string by) {
    upstream = canonical(upstream);
    auto asking = wishes("logout", upstream, principal, std::move(by));
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded.error();
    const life_key key{false, principal, upstream};
    if (!lives_.need(key))
        co_return unknown_upstream(upstream, principal);
    std::vector<life_key> keys{key};
    co_return co_await sign_out(std::move(keys));
}

task<result<revocation_report>> person_desk::logout_idp(std::string identity_provider, std::string principal,
                                                        std::string by) {
    auto asking = wishes("logout", identity_provider, principal, std::move(by));
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded.error();
    const auto* session = lives_.need({true, principal, identity_provider});
    if (!session) {
        std::string known;
        for (const auto& [name, provider] : lives_.table()->settings->identity_providers)
            known += " " + name;
        co_return failure::permanent(
            fault::invalid_configuration, "no identity provider " + identity_provider,
            known.empty() ? "none is configured" : "known identity providers:" + known);
    }
    std::vector<life_key> keys;
    if (!session->place.whose.supplied)
        keys.push_back(session->key); // first: nothing can be minted from it any more
    for (const auto& r : lives_.table()->routes)
        if (r->upstream->identity_provider == identity_provider &&
            lives_.need({false, principal, r->upstream->name}))
            keys.push_back({false, principal, r->upstream->name});
    co_return co_await sign_out(std::move(keys));
}

task<result<revocation_report>> person_desk::end_identity(std::string principal, std::string by) {
    if (!may_call(lives_.table()->settings->client_auth, principal)) {
        co_return failure::permanent(fault::invalid_configuration,
                                     "nobody can be called " + principal + " here",
                                     "`mcp-reauth status` lists the principals that are known");
    }
    auto asking = wishes("end identity", {}, principal, by);
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded.error();
    co_return co_await identities_.end_principal(std::move(principal), context_.env.now(), std::move(by));
}

task<result<revocation_report>> person_desk::logout_all(std::string principal, std::string by) {
    auto asking = wishes("logout everything", {}, principal, std::move(by));
    auto recorded = co_await std::move(asking);
    if (!recorded)
        co_return recorded.error();
    std::vector<life_key> keys;
    for (const bool session : {true, false})
        for (const auto& key : life_keys(*lives_.table(), session))
            if (key.principal == principal) {
                const auto* m = lives_.need(key);
                if (m && !m->place.whose.supplied) // what the configuration supplies can't be signed out of
                    keys.push_back(key);
            }
    if (keys.empty())
        co_return failure::permanent(fault::invalid_configuration, "there is nothing that principal " +
                                                                       principal + " could be signed out of");
    co_return co_await sign_out(std::move(keys));
}

} // namespace reauth
