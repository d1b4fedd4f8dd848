// Tokens that nobody uses any more: given back at the provider (RFC 7009), or kept for the sign-out.
#include "policy/flows/revocation_flow.hpp"

#include "proxy/log/log.hpp"
#include "proxy/recovery/work.hpp"

#include <algorithm>

namespace reauth {
namespace {

/// A token, and all that is needed to give it back.
struct revocable {
    credential value;
    life::server_ptr server;
    std::optional<registered_client> client;
    bool replaced = false; ///< kept for the sign-out
};

const std::string& name_of(const configured_binding& place) {
    return place.session() ? place.provider : place.whose.upstream;
}

/// Whatever process stored it: revoking ours would end it too.
result<bool> in_force_elsewhere(credential_store& store, const configured_binding& place,
                                const credential& value) {
    if (place.session()) {
        auto session = store.find_session(place.whose.principal, place.provider);
        if (!session)
            return session.error();
        return session->value && session->value->issuer == value.issuer;
    }
    auto all = store.credentials(place.whose.principal);
    if (!all)
        return all.error();
    return std::any_of(all->begin(), all->end(), [&](const held_credential& other) {
        return other.held.issuer == value.issuer && other.held.client_id == value.client_id;
    });
}

/// What the vault knows of a place's tokens and clients, in one look: a sign-out erases both meanwhile.
struct known_tokens {
    std::vector<retired_credential> retired;
    std::vector<registered_client> clients;
};

result<known_tokens> read_known(credential_store& store, const configured_binding& place, bool with_retired) {
    known_tokens out;
    if (with_retired) {
        auto kept = store.retired(place.session(), place.whose.principal, name_of(place));
        if (!kept)
            return kept.error();
        out.retired = std::move(*kept);
    }
    if (place.session())
        return out;
    auto clients = store.registrations({}, place.whose.upstream);
    if (!clients)
        return clients.error();
    out.clients = std::move(*clients);
    return out;
}

/// The client it was issued to. Nothing: it is not known any more.
std::optional<registered_client> client_of_token(const configured_binding& place, const revocable& token,
                                                 const std::vector<registered_client>& clients) {
    if (token.client)
        return token.client;
    authorization_server server;
    server.issuer = token.value.issuer;
    if (token.server && token.server->issuer() == token.value.issuer)
        server = token.server->server;
    auto client = client_among(clients, place, server, token.value.client_id);
    return client ? std::move(*client) : std::nullopt;
}

task<revocation_report> revoke_token(recovery_context& context, configured_binding place, revocable token) {
    const auto& issuer = token.value.issuer;
    const auto options = options_for(place);
    revocation_report end;
    revocation_inputs inputs;
    if (token.server && token.server->issuer() == issuer) {
        inputs.server = token.server->server;
    } else if (token.value.found && token.value.found->server.issuer == issuer) {
        inputs.server = token.value.found->server;
    } else {
        auto work =
            discover_issuer(issuer, place.session() ? plain_http::on_loopback : place.upstream().http());
        auto found = co_await drive(context.ex, context.network, options, std::move(work));
        if (!found) {
            end.trouble = found.error();
            co_return end;
        }
        inputs.server = std::move(*found);
    }
    if (!token.client || token.client->identity.id != token.value.client_id) {
        end.trouble = failure::permanent(fault::reauth_failed,
                                         "the token could not be revoked at " + issuer +
                                             ": the client it was issued to is not known any more",
                                         "revoke it at the provider; here it is forgotten");
        co_return end;
    }
    inputs.client = std::move(*token.client);
    inputs.held = std::move(token.value);
    inputs.replaced = token.replaced;
    auto work = revoke_credential(context.env, std::move(inputs));
    co_return co_await drive(context.ex, context.network, options, std::move(work));
}

} // namespace

task<void> carry_out(recovery_context& context, configured_binding place, life::retire what) {
    const auto now = context.env.now();
    auto keep = [&]() -> result<void> {
        auto known = read_known(context.store, place, false);
        if (!known)
            return known.error();
        retired_credential kept{what.value, {}};
        auto client = client_of_token(place, {what.value, nullptr, what.client, true}, known->clients);
        // the configuration's is found there
        if (client && client->origin == client_origin::dynamic)
            kept.client = std::move(client);
        return context.store.retire(place.session(), place.whose.principal, name_of(place), kept, now);
    };
    const auto done = co_await context.vault.run(keep);
    if (!done)
        log_event(log_level::warn, "vault",
                  {{"upstream", place.whose.upstream},
                   {"message",
                    "a token that was replaced can't be kept for the sign-out: " + done.error().describe()}});
}

namespace {

/// What was asked for, and at a sign-out what was kept for it, each with its client.
task<std::vector<revocable>> tokens_to_revoke(recovery_context& context, const configured_binding& place,
                                              const life::revoke& what, revocation_report& said) {
    std::vector<revocable> tokens;
    if (!what.value.issuer.empty())
        tokens.push_back({what.value, what.server, what.client, false});
    auto read = [&] { return read_known(context.store, place, what.everything); };
    auto known = co_await context.vault.run(read);
    if (!known) {
        said.trouble = known.error();
        co_return tokens;
    }
    for (auto& old : known->retired)
        tokens.push_back({std::move(old.value), what.server, std::move(old.client), true});
    for (auto& token : tokens)
        token.client = client_of_token(place, token, known->clients);
    co_return tokens;
}

} // namespace

/// At the server that issued it, as the client it was issued to; nobody is registered for it anywhere.
task<life_event> carry_out(recovery_context& context, configured_binding place, life::revoke what) {
    life::revoked end{what.work, {}};
    if (!what.everything) {
        auto look = [&] { return in_force_elsewhere(context.store, place, what.value); };
        const auto other = co_await context.vault.run(look);
        if (!other || *other) { // also where that can't be known
            life::retire kept{std::move(what.value), std::move(what.client)};
            co_await carry_out(context, std::move(place), std::move(kept));
            co_return end;
        }
    }
    auto tokens = co_await tokens_to_revoke(context, place, what, end.done);
    for (auto& token : tokens) {
        auto one = co_await revoke_token(context, place, std::move(token));
        end.done.add(std::move(one));
    }
    if (what.everything) {
        auto forget = [&] {
            return context.store.forget_retired(place.session(), place.whose.principal, name_of(place));
        };
        const auto gone = co_await context.vault.run(forget);
        if (!gone && !end.done.trouble)
            end.done.trouble = gone.error();
    }
    if (end.done.trouble)
        log_event(log_level::warn, "revocation",
                  {{"upstream", place.whose.upstream}, {"message", end.done.trouble->describe()}});
    co_return end;
}

} // namespace reauth
