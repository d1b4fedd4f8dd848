// What is held of people at identity providers: sessions from logins, and ID tokens that the configuration
// supplies.
#include "proxy/recovery/idp_desk.hpp"

#include "core/uri.hpp"
#include "policy/discovery_flow.hpp"
#include "proxy/recovery/secret_files.hpp"

namespace reauth {
namespace {

constexpr std::chrono::minutes metadata_lifetime{15};

bool supplied_by(const identity_provider_config& provider) {
    return provider.id_token.from != secret_source::kind::none;
}

/// Another provider or client took the name: what was held is not used any more.
bool fits(const idp_session& session, const identity_provider_config& provider) {
    return session.issuer == provider.issuer && session.client_id == provider.client.id;
}

} // namespace

idp_desk::idp_desk(executor ex, fetcher& network, credential_store& store, vault_thread& thread,
                   const flow_environment& env, std::string holder)
    : ex_(ex), network_(network), store_(store), vault_(thread), env_(env), holder_(std::move(holder)) {}

result<void> idp_desk::load() {
    auto stored = store_.sessions();
    if (!stored)
        return stored.error();
    for (auto& s : *stored)
        held_by(s.principal, s.held.identity_provider).session = std::move(s.held);
    return {};
}

void idp_desk::look_at_supplied(const identity_provider_config& provider, holding& h) {
    auto text = read_secret_now(provider.id_token);
    if (text && h.session && h.session->supplied && *text == h.supplied && env_.now() < h.session->expires_at)
        return;
    h.session.reset();
    h.problem.reset();
    if (!text) {
        h.problem = text.error();
        return;
    }
    auto session = session_from_id_token(provider.name, provider.client.id, *text, env_.now());
    if (!session) {
        h.problem = session.error();
    } else if (session->issuer != provider.issuer) {
        h.problem = failure{fault::invalid_configuration,
                            "the ID token that is configured for identity provider " + provider.name +
                                " comes from " + session->issuer + " instead of " + provider.issuer,
                            "supply one of the provider, or correct its issuer", "", false};
    } else {
        h.session = std::move(*session);
        h.supplied = std::move(*text);
    }
}

task<void> idp_desk::look(const config& settings, std::string name, std::string principal) {
    const auto& provider = settings.identity_providers.at(name);
    auto& h = held_by(principal, name);
    if (supplied_by(provider)) {
        look_at_supplied(provider, h);
        co_return;
    }
    h.problem.reset();
    if (h.session && (h.session->supplied || !fits(*h.session, provider)))
        h.session.reset();
    if (h.session && state_of(*h.session, env_.now()) != session_state::gone)
        co_return;
    auto read = [&] { return store_.find_session(principal, name); };
    auto stored = co_await vault_.run(read);
    if (!stored)
        h.problem = stored.error();
    else if (*stored && fits(**stored, provider))
        h.session = std::move(**stored);
}

bool idp_desk::can_mint(const config& settings, const std::string& name, const std::string& principal) const {
    // one that is supplied is tried whatever its state: the failure tells what is wrong with it
    if (supplied_by(settings.identity_providers.at(name)))
        return true;
    auto found = held_.find({principal, name});
    return found != held_.end() && found->second.session &&
           state_of(*found->second.session, env_.now(), std::chrono::seconds(5)) != session_state::gone;
}

task<result<void>> idp_desk::keep(std::string principal, idp_session session) {
    auto write = [&] { return store_.store_session(principal, session); };
    auto written = co_await vault_.run(write);
    if (!written)
        co_return written;
    auto& h = held_by(principal, session.identity_provider);
    h.session = std::move(session);
    h.renewal_is_no_use = false;
    co_return written;
}

task<result<void>> idp_desk::drop(std::string principal, idp_session session) {
    if (session.supplied)
        co_return result<void>{};
    auto same = [&](const std::optional<idp_session>& other) {
        return other && other->id_token == session.id_token && other->refresh_token == session.refresh_token;
    };
    auto& h = held_by(principal, session.identity_provider);
    if (same(h.session))
        h.session.reset();
    auto erase = [&]() -> result<void> {
        auto stored = store_.find_session(principal, session.identity_provider);
        if (!stored)
            return stored.error();
        return same(*stored) ? store_.erase_session(principal, session.identity_provider) : result<void>{};
    };
    co_return co_await vault_.run(erase);
}

task<result<std::optional<idp_session>>> idp_desk::sign_out(std::string principal, std::string name) {
    auto& h = held_by(principal, name);
    auto session = std::move(h.session);
    h.session.reset();
    h.renewal_is_no_use = false;
    auto erase = [&] { return store_.erase_session(principal, name); };
    auto erased = co_await vault_.run(erase);
    if (!erased)
        co_return erased.error();
    co_return session;
}

task<result<authorization_server>> idp_desk::server_of(const config& settings, std::string name) {
    auto& p = providers_[settings.identity_providers.at(name).issuer];
    if (p.server && env_.now() < p.discovered_at + metadata_lifetime)
        co_return *p.server;
    std::function<task<result<authorization_server>>()> work = [this, &settings, &name] {
        return discover(settings, name);
    };
    co_return co_await p.discovery.run(ex_, std::move(work));
}

task<result<authorization_server>> idp_desk::discover(const config& settings, std::string name) {
    auto issuer = settings.identity_providers.at(name).issuer;
    auto options = options_for(settings, name);
    auto work = discover_issuer(issuer);
    auto found = co_await drive(ex_, network_, options, std::move(work));
    if (!found) {
        auto why = found.error();
        why.message = "identity provider " + name + ": " + why.message;
        co_return why;
    }
    auto& p = providers_[issuer];
    p.server = *found;
    p.discovered_at = env_.now();
    co_return found;
}

const authorization_server* idp_desk::known_server(const config& settings, const std::string& name) const {
    auto found = providers_.find(settings.identity_providers.at(name).issuer);
    return found != providers_.end() && found->second.server ? &*found->second.server : nullptr;
}

result<registered_client> idp_desk::client_at(const config& settings, const std::string& name,
                                              const authorization_server& server) {
    const auto& c = settings.identity_providers.at(name).client;
    auto method = choose_client_auth(server, c.auth, !c.client_secret.empty(), !c.private_key.empty());
    if (!method)
        return method.error();
    registered_client client;
    client.identity.id = c.id;
    client.identity.method = *method;
    client.identity.client_secret = c.client_secret;
    client.identity.private_key = c.private_key;
    client.identity.alg = c.alg;
    client.issuer = server.issuer;
    return client;
}

fetch_options idp_desk::options_for(const config& settings, const std::string& name) {
    const auto& provider = settings.identity_providers.at(name);
    fetch_options o;
    o.timeout = settings.limits.token_request;
    if (auto url = parse_http_url(provider.issuer))
        o.trusted_hosts = {url->host, url->authority()};
    o.ca_file = provider.tls.ca_file;
    o.client_cert = provider.tls.cert;
    o.client_key = provider.tls.key;
    return o;
}

std::string idp_desk::subject_of(const std::string& principal, const std::string& name) const {
    auto found = held_.find({principal, name});
    return found != held_.end() && found->second.session ? found->second.session->subject : "";
}

std::vector<idp_session_summary> idp_desk::summaries() const {
    std::vector<idp_session_summary> all;
    for (const auto& [key, h] : held_) {
        if (!h.session)
            continue;
        const auto& s = *h.session;
        idp_session_summary summary;
        summary.identity_provider = key.second;
        summary.principal = key.first;
        summary.issuer = s.issuer;
        summary.subject = s.subject;
        summary.expires_at = s.expires_at;
        summary.renewable = !s.refresh_token.empty();
        summary.supplied = s.supplied;
        all.push_back(std::move(summary));
    }
    return all;
}

} // namespace reauth
