// The login at the organisation's identity provider: asked for once, whoever needs it, and good for all its
// upstreams.
#include "proxy/recovery/desk.hpp"

#include "core/uri.hpp"
#include "proxy/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

std::string authority_of(const std::string& url) {
    auto parsed = parse_http_url(url);
    return parsed ? parsed->authority() : std::string();
}

bool at_idp(const open_question& q) {
    return q.person == rung::idp_login && q.silent.empty();
}

} // namespace

/// The id of the open question for a login at this upstream's provider; nullptr: none is open.
const std::string* recovery_desk::idp_question(const account& a, const route& r) const {
    for (const auto& [key, other] : accounts_)
        if (other->principal == a.principal)
            for (const auto& [id, q] : other->questions)
                if (at_idp(q) && q.upstream->upstream->identity_provider == r.upstream->identity_provider)
                    return &id;
    return nullptr;
}

void recovery_desk::show_idp(approval& shown, const config& settings, const route& r) const {
    const auto& name = r.upstream->identity_provider;
    const auto& issuer = settings.identity_providers.at(name).issuer;
    const auto* server = idps_.known_server(settings, name);
    shown.kind = approval_kind::idp_login;
    shown.issuer = issuer;
    shown.login_host = authority_of(server ? server->authorization_endpoint : issuer);
    shown.token_host = authority_of(server ? server->token_endpoint : issuer);
    shown.granted = {};
    shown.requested = {"openid", "offline_access"};
    shown.added = shown.requested;
}

task<result<approve_answer>> recovery_desk::start_idp_login(account& a, std::string id, bool from_page) {
    auto table = a.questions[id].table;
    const auto& settings = *table->settings;
    const auto& name = a.questions[id].upstream->upstream->identity_provider;
    auto server = co_await idps_.server_of(settings, name);
    if (!server)
        co_return server.error();
    auto client = idp_desk::client_at(settings, name, *server);
    if (!client)
        co_return client.error();
    idp_login_inputs inputs;
    inputs.identity_provider = name;
    inputs.principal = a.principal;
    inputs.approval_id = id;
    inputs.server = std::move(*server);
    inputs.client = std::move(*client);
    inputs.redirect_uri = settings.approval.public_url + "/oauth/callback";
    inputs.bind_to_browser = from_page;
    inputs.lifetime = settings.approval.lifetime;
    auto begun = begin_idp_login(env_, std::move(inputs));
    if (!begun)
        co_return begun.error();
    co_return co_await publish_pending(a, id, std::move(*begun), from_page);
}

void recovery_desk::serve_soon(account& a) {
    if (a.busy)
        return; // who serves it looks again
    a.busy = true;
    asio::co_spawn(control_.get_executor(), serve(a), asio::detached);
}

/// A new session: whoever waited for it, in any account but one, is considered again and mints a token of its
/// own.
void recovery_desk::release_idp(const std::string& principal, const std::string& identity_provider,
                                const account* but) {
    for (auto& [key, a] : accounts_) {
        if (a.get() == but || a->principal != principal)
            continue;
        bool any = false;
        for (auto& w : a->waiting) {
            if (w.ticket->ask.upstream->upstream->identity_provider != identity_provider)
                continue;
            auto* owner = w.approval.empty() ? nullptr : account_with(w.approval);
            if (owner && !at_idp(owner->questions[w.approval]))
                continue; // parked on a question of another kind
            w.asked = w.asked || !w.approval.empty();
            w.approval.clear();
            w.idle = false;
            any = true;
        }
        if (any)
            serve_soon(*a);
    }
}

task<callback_outcome> recovery_desk::finish_idp_callback(pending_authorization pending,
                                                          authorization_callback arrived,
                                                          std::optional<std::string> browser_binding,
                                                          callback_outcome outcome) {
    auto table = table_;
    const auto& settings = *table->settings;
    auto name = pending.identity_provider;
    auto principal = pending.principal;
    auto id = pending.approval_id;
    auto issuer = pending.server.issuer;
    auto found = settings.identity_providers.find(name);
    if (found == settings.identity_providers.end() || found->second.issuer != issuer) {
        outcome.detail = "The identity provider of this sign-in is not configured any more.";
        co_return outcome;
    }
    auto options = idp_desk::options_for(settings, name);
    auto work = finish_idp_login(env_, std::move(pending), std::move(arrived), std::move(browser_binding));
    auto session = co_await drive(control_.get_executor(), network_, options, std::move(work));
    result<void> kept;
    if (session)
        kept = co_await idps_.keep(principal, *session);
    auto* owner = account_with(id);
    if (!session || !kept) {
        auto why = session ? kept.error() : session.error();
        outcome.detail = why.describe();
        bool denied = why.code == fault::approval_denied;
        if (denied)
            outcome.title = "Denied at the identity provider";
        if (!owner)
            co_return outcome;
        note(*owner, to_string(rung::idp_login), &why);
        if (denied) {
            ++counters_.denials;
            owner->denials.denied(env_.now());
        }
        // a code is good for one try: this flow is over, and whoever waits learns why
        decided(*owner, id, denied ? approval_status::denied : approval_status::failed, why.describe(), why);
        co_return outcome;
    }
    ++counters_.logins;
    log_event(log_level::info, "audit",
              {{"principal", principal},
               {"subject", session->subject},
               {"identity_provider", name},
               {"how", std::string(to_string(rung::idp_login))}});
    outcome.ok = true;
    outcome.title = "Done";
    outcome.detail = "You are signed in at " + host_of(issuer) + ". You can close this page.";
    if (!owner) {
        release_idp(principal, name, nullptr);
        co_return outcome;
    }
    owner->denials.approved();
    auto q = owner->questions[id];
    bool mint_here = q.mint_after && !owner->busy;
    release_idp(principal, name, mint_here ? owner : nullptr);
    if (!mint_here) {
        decided(*owner, id, approval_status::approved, "Approved: signed in at " + host_of(issuer) + ".", {});
        co_return outcome;
    }
    // the person looks at this page now, so this is where the organisation's refusal is told
    owner->busy = true;
    owner->ruled_by = q.rule;
    auto used = q.table;
    std::vector<rung> rungs;
    rungs.push_back(rung::enterprise_mint);
    auto minted_one = co_await run_silent(*owner, *used->settings, *q.upstream, rungs, q.silent_scopes);
    if (minted_one) {
        owner->obtained_by = rung::idp_login;
        if (q.step_up)
            ++counters_.step_ups;
        decided(*owner, id, approval_status::approved, "Approved: signed in at " + host_of(issuer) + ".", {});
    } else {
        auto why = minted_one.error();
        outcome.ok = false;
        outcome.title = "Signed in, but there is no access to " + owner->upstream;
        outcome.detail = why.describe();
        decided(*owner, id, approval_status::failed, why.describe(), why);
    }
    co_await serve(*owner);
    co_return outcome;
}

} // namespace reauth
