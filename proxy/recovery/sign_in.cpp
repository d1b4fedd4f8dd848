// Sign-in: authorization URLs built, callbacks redeemed, for an authorization server and an identity provider
// alike.
#include "policy/flows/authorization_flow.hpp"
#include "policy/flows/device_flow.hpp"

#include "policy/flows/registration_flow.hpp"
#include "proxy/log/log.hpp"
#include "proxy/recovery/work.hpp"

namespace reauth {
namespace {

bool by_device(const configured_binding& place, const life::begin_sign_in& what) {
    if (what.method != sign_in_method::as_configured)
        return what.method == sign_in_method::device;
    const auto configured = place.session() ? place.idp().login : place.upstream().login;
    return configured == login_kind::device;
}

result<begun_authorization> begin_at_provider(recovery_context& context, const configured_binding& place,
                                              const life::begin_sign_in& what, registered_client client) {
    idp_login_inputs inputs;
    inputs.identity_provider = place.provider;
    inputs.principal = place.whose.principal;
    inputs.approval_id = what.approval;
    inputs.server = what.server->server;
    inputs.client = std::move(client);
    inputs.redirect_uri = redirect_uri_of(place);
    inputs.bind_to_browser = what.bind_to_browser;
    inputs.acr_values = what.acr_values;
    inputs.max_age = what.max_age;
    inputs.prompt_login = what.prompt_login;
    inputs.lifetime = place.settings().approval.lifetime;
    return begin_idp_login(context.env, std::move(inputs));
}

authorization_inputs inputs_for(const configured_binding& place, const life::begin_sign_in& what,
                                registered_client client) {
    const auto& settings = place.settings();
    authorization_inputs inputs;
    inputs.principal = place.whose.principal;
    inputs.approval_id = what.approval;
    inputs.server = what.server->server;
    inputs.client = std::move(client);
    inputs.redirect_uri = redirect_uri_of(place);
    inputs.bind_to_browser = what.bind_to_browser;
    inputs.lifetime = settings.approval.lifetime;
    inputs.acr_values = what.acr_values;
    inputs.max_age = what.max_age;
    inputs.prompt_login = what.prompt_login;
    if (place.session()) {
        inputs.scopes = {"openid", "offline_access"};
        return inputs;
    }
    const auto& upstream = place.upstream();
    inputs.upstream = upstream.name;
    inputs.resource = what.server->resource;
    inputs.scopes = what.scopes.united_with(place.whose.always_asked);
    inputs.authorize_params = upstream.authorize_params;
    inputs.login_hint = upstream.login_hint;
    inputs.select_account = what.select_account;
    inputs.allow_missing_pkce = upstream.allow_missing_pkce;
    inputs.may_push = upstream.par != par_mode::never;
    inputs.http = upstream.http();
    inputs.dpop = wants_dpop(place, what.server, what.challenged_dpop, what.challenged_bearer);
    return inputs;
}

/// Not used for logins any more; what was issued to it is still renewed with it.
result<void> retire(credential_store& store, const std::string& upstream, registered_client client) {
    client.retired = true;
    return store.store_registration(upstream, client);
}

task<result<begun_authorization>> begin_by_device(recovery_context& context, const configured_binding& place,
                                                  const life::begin_sign_in& what, registered_client client) {
    auto options = options_for(place);
    auto work = begin_device_login(context.env, inputs_for(place, what, std::move(client)));
    co_return co_await drive(context.ex, context.network, options, std::move(work));
}

/// As which client, and by which way.
task<result<begun_authorization>> begin_flow(recovery_context& context, const configured_binding& place,
                                             const life::begin_sign_in& what) {
    result<registered_client> client = failure();
    scope_set registered;
    if (what.register_scopes)
        registered = what.scopes;
    if (place.session())
        client = client_at_provider(place.idp(), what.server->server);
    else
        client = co_await client_for(context, place, what.server->server, registered);
    if (!client)
        co_return client.error();
    // what would be refused after the login is refused before it
    auto options = options_for(place);
    auto open = co_await context.network.may_reach(what.server->server.token_endpoint, options);
    if (!open)
        co_return open.error();
    if (by_device(place, what)) {
        auto begun = co_await begin_by_device(context, place, what, *client);
        if (!begun && begun.error().oauth_error == "unauthorized_client" && !place.session() &&
            client->origin == client_origin::dynamic) {
            // registered before this server had device logins: once more, for them too
            const auto upstream = place.whose.upstream;
            auto put_aside = [&] { return retire(context.store, upstream, *client); };
            co_await context.vault.run(put_aside);
            client = co_await client_for(context, place, what.server->server);
            if (!client)
                co_return client.error();
            begun = co_await begin_by_device(context, place, what, *client);
        }
        if (begun && place.session()) {
            begun->pending.kind = authorization_kind::idp_login;
            begun->pending.identity_provider = place.provider;
        }
        co_return begun;
    }
    const auto mode = place.session() ? par_mode::automatic : place.upstream().par;
    auto begun = place.session()
                     ? begin_at_provider(context, place, what, std::move(*client))
                     : begin_authorization(context.env, inputs_for(place, what, std::move(*client)));
    if (!begun || !pushes(mode, what.server->server))
        co_return begun;
    auto work = push_authorization(context.env, std::move(*begun));
    co_return co_await drive(context.ex, context.network, options, std::move(work));
}

std::string key_of_question(const configured_binding& place, const life::begin_sign_in& what) {
    approval_record asked;
    asked.session = place.session();
    asked.name = place.session() ? place.provider : place.whose.upstream;
    asked.place = binding_place(place.whose.url, place.whose.resource);
    asked.shown.principal = place.whose.principal;
    asked.login_scopes = what.question;
    asked.shown.acr_values = what.acr_values;
    asked.shown.max_age = what.max_age;
    return credential_store::approval_key(asked);
}

/// The flow of a question that a person was sent on, if it comes back to us.
std::optional<begun_authorization> flow_of(const configured_binding& place, const life::begin_sign_in& what,
                                           approval_record q) {
    const auto there = seen_from(std::move(q), redirect_uri_of(place));
    std::optional<begun_authorization> begun;
    if (there.shown.id != what.approval || there.shown.status != approval_status::authorizing)
        return begun;
    const bool device = !there.shown.user_code.empty();
    if (what.method != sign_in_method::as_configured && device != (what.method == sign_in_method::device))
        return begun; // another way is wanted
    begun.emplace();
    begun->pending.state = there.pending_state;
    begun->pending.approval_id = what.approval;
    begun->pending.location = there.shown.location;
    begun->pending.redirect_uri = there.redirect_uri;
    begun->pending.user_code = there.shown.user_code;
    begun->pending.verification_uri = there.shown.verification_uri;
    if (there.browser_binding)
        begun->browser_binding = *there.browser_binding;
    return begun;
}

/// The flow that another process has begun for the same question, while it lives: everybody is sent to the
/// same place.
task<std::optional<begun_authorization>>
begun_elsewhere(recovery_context& context, const configured_binding& place, const life::begin_sign_in& what) {
    const auto key = key_of_question(place, what);
    auto read = [&] { return context.store.find_approval(key); };
    auto found = co_await context.vault.run(read);
    if (!found || !*found)
        co_return std::nullopt;
    co_return flow_of(place, what, std::move(**found));
}

/// The vault knows of our flow before anybody sees where it goes. Of two processes that begin at once one is
/// first: then the other's flow.
task<std::optional<begun_authorization>> told_to_vault(recovery_context& context,
                                                       const configured_binding& place,
                                                       const life::begin_sign_in& what,
                                                       const begun_authorization& ours) {
    const auto key = key_of_question(place, what);
    const auto now = context.env.now();
    auto write = [&]() -> result<std::optional<approval_record>> {
        auto asked = context.store.find_approval(key);
        if (!asked || !*asked || (*asked)->shown.id != what.approval)
            return std::optional<approval_record>(); // the vault does not hold it: nobody else has it
        auto& q = **asked;
        if (flow_of(place, what, q))
            return asked;
        q.shown.status = approval_status::authorizing;
        q.shown.location = ours.pending.location;
        q.shown.user_code = ours.pending.user_code;
        q.shown.verification_uri = ours.pending.verification_uri;
        q.shown.outcome.clear();
        q.pending_state = ours.pending.state;
        q.redirect_uri = ours.pending.redirect_uri;
        q.browser_binding.reset();
        if (!ours.browser_binding.empty())
            q.browser_binding = ours.browser_binding;
        return context.store.store_approval(q, now, false);
    };
    auto other = co_await context.vault.run(write);
    if (!other || !*other)
        co_return std::nullopt;
    co_return flow_of(place, what, std::move(**other));
}

} // namespace

/// The flow is stored before anyone sees its URL.
task<life_event> carry_out(recovery_context& context, configured_binding place, life::begin_sign_in what) {
    life::sign_in_begun end{what.work, failure{}};
    auto begun = co_await begun_elsewhere(context, place, what);
    if (begun) {
        end.begun = std::move(*begun);
        co_return end;
    }
    if (!what.server) { // the question was opened by another process, or by an earlier run
        life::discover look{what.work, what.resource_metadata, what.pinned_issuer};
        auto seen = co_await carry_out(context, place, std::move(look));
        auto& found = std::get<life::discovered>(seen).found;
        if (!found) {
            end.begun = found.error();
            co_return end;
        }
        end.server = what.server = std::make_shared<const discovered_server>(std::move(*found));
    }
    end.begun = co_await begin_flow(context, place, what);
    if (!end.begun)
        co_return end;
    auto write = [&] { return context.store.store_pending(end.begun->pending); };
    auto written = co_await context.vault.run(write);
    if (!written) {
        end.begun = written.error();
        co_return end;
    }
    auto faster = co_await told_to_vault(context, place, what, *end.begun);
    if (faster) {
        life::discard_pending unused{end.begun->pending.state, {}};
        co_await carry_out(context, place, std::move(unused));
        end.begun = std::move(*faster);
    }
    co_return end;
}

task<life_event> carry_out(recovery_context& context, configured_binding, life::release_binding what) {
    auto release = [&]() -> result<void> {
        auto pending = context.store.find_pending(what.state.reveal());
        if (!pending)
            return pending.error();
        if (!pending->has_value())
            return {};
        (*pending)->browser_binding_hash.clear();
        return context.store.store_pending(**pending);
    };
    auto done = co_await context.vault.run(release);
    co_return life::binding_released{what.work, std::move(done)};
}

task<life_event> carry_out(recovery_context& context, configured_binding place, life::redeem what) {
    life::flow_ended end{what.work, failure{}};
    auto options = options_for(place);
    discovered_server there;
    there.server = what.pending.server;
    end.server = std::make_shared<const discovered_server>(std::move(there));
    end.client = what.pending.client;
    if (place.session()) {
        auto work = finish_idp_login(context.env, std::move(what.pending), std::move(what.parameters),
                                     std::move(what.browser_binding));
        auto session = co_await drive(context.ex, context.network, options, std::move(work));
        if (session)
            end.fresh = credential_of(*session);
        else
            end.fresh = session.error();
        co_return end;
    }
    const auto client = what.pending.client;
    const auto issuer = what.pending.server.issuer;
    const bool asked_scopes = !what.pending.scopes.empty();
    what.pending.id_token_is_bearer = place.upstream().bearer == bearer_kind::id_token;
    auto work = finish_authorization(context.env, std::move(what.pending), std::move(what.parameters),
                                     std::move(what.browser_binding));
    end.fresh = co_await drive(context.ex, context.network, options, std::move(work));
    // registered without `scope`, and allowed none (RFC 7591 section 2 lets a server choose): once more, with
    // it
    end.register_scopes = !end.fresh && end.fresh.error().oauth_error == "invalid_scope" && asked_scopes &&
                          client.origin == client_origin::dynamic && client.scope.empty();
    if (!end.fresh && (end.register_scopes || wants_new_registration(end.fresh.error(), client))) {
        const auto upstream = place.whose.upstream;
        const auto id = client.identity.id;
        auto forget = [&] { return context.store.erase_registration(issuer, upstream, id); };
        auto forgotten = co_await context.vault.run(forget);
        end.client_unknown = forgotten.has_value();
    } else if (!end.fresh && may_be_forgotten(end.fresh.error(), client, context.env.now())) {
        const auto upstream = place.whose.upstream;
        auto put_aside = [&] { return retire(context.store, upstream, client); };
        auto aside = co_await context.vault.run(put_aside);
        end.client_unknown = aside.has_value();
    }
    co_return end;
}

/// Where the person went there and did not come back, the server may have forgotten the client (one answers
/// 422 then).
task<void> carry_out(recovery_context& context, configured_binding, life::discard_pending what) {
    const auto now = context.env.now();
    auto take = [&]() -> result<void> {
        auto taken = context.store.take_pending(what.state.reveal());
        if (!taken)
            return taken.error();
        const bool doubtful = what.refused && *taken && old_registration((*taken)->client, now);
        return doubtful ? retire(context.store, (*taken)->upstream, (*taken)->client) : result<void>{};
    };
    auto done = co_await context.vault.run(take);
    if (!done)
        log_event(log_level::warn, "vault", {{"message", done.error().describe()}});
}

} // namespace reauth
