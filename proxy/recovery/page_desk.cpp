// Sent to the company's provider, named, ended.
#include "proxy/recovery/page_desk.hpp"

#include "core/crypto/random.hpp"
#include "policy/flows/idp_session.hpp"
#include "proxy/log/log.hpp"

#include <algorithm>

namespace reauth {
namespace {

/// Of replicas.
constexpr std::chrono::minutes clocks_differ{5};

failure nobody_signs_in() {
    return failure::permanent(fault::invalid_configuration, "nobody signs in to this page",
                              "set approval.sign_in: {identity_provider: …}");
}

} // namespace

bool page_desk::people_sign_in() const {
    return lives_.table()->settings->approval.sign_in.has_value();
}

std::chrono::milliseconds page_desk::session_lifetime() const {
    const auto& page = lives_.table()->settings->approval.sign_in;
    return page ? page->lifetime : std::chrono::milliseconds(0);
}

task<result<page_sign_in>> page_desk::begin_page_sign_in(std::string return_to) {
    const auto table = lives_.table();
    const auto& settings = *table->settings;
    if (!settings.approval.sign_in)
        co_return nobody_signs_in();
    const auto& page = *settings.approval.sign_in;
    const auto& provider = settings.identity_providers.at(page.identity_provider);
    auto server = co_await context_.sessions.provider_metadata(page.identity_provider);
    if (!server)
        co_return server.error();
    auto client = client_at_provider(provider, *server);
    if (!client)
        co_return client.error();
    idp_login_inputs inputs;
    inputs.identity_provider = provider.name;
    inputs.principal = "page";
    inputs.approval_id = std::move(return_to);
    inputs.server = std::move(*server);
    inputs.client = std::move(*client);
    inputs.redirect_uri = redirect_uri_of(settings);
    inputs.scopes = page.scopes;
    inputs.lifetime = settings.approval.lifetime;
    auto begun = begin_idp_login(context_.env, std::move(inputs));
    if (begun && pushes(par_mode::automatic, begun->pending.server)) {
        auto options = options_for_provider(settings, provider.name);
        auto work = push_authorization(context_.env, std::move(*begun));
        begun = co_await drive(context_.ex, context_.network, options, std::move(work));
    }
    if (!begun)
        co_return begun.error();
    begun->pending.kind = authorization_kind::page;
    auto write = [&] { return context_.store.store_pending(begun->pending); };
    auto written = co_await context_.vault.run(write);
    if (!written)
        co_return written.error();
    co_return page_sign_in{begun->pending.location, std::string(begun->pending.state.reveal()),
                           begun->browser_binding};
}

task<std::optional<std::string>> page_desk::page_sign_in_of(std::string state) {
    auto read = [&] { return context_.store.find_pending(state); };
    auto found = co_await context_.vault.run(read);
    if (!found || !*found || (*found)->kind != authorization_kind::page)
        co_return std::nullopt;
    co_return (*found)->approval_id;
}

task<result<page_person>> page_desk::finish_page_sign_in(authorization_callback parameters,
                                                         std::optional<std::string> browser_binding) {
    const auto table = lives_.table();
    const auto& settings = *table->settings;
    if (!settings.approval.sign_in || !parameters.state)
        co_return nobody_signs_in();
    const auto page = *settings.approval.sign_in;
    // one use: whoever takes it goes on
    auto take = [&] { return context_.store.take_pending(*parameters.state); };
    auto taken = co_await context_.vault.run(take);
    if (!taken)
        co_return taken.error();
    if (!*taken)
        co_return failure::permanent(fault::approval_timeout,
                                     "this sign-in was used before, or took too long", "sign in again");
    auto options = options_for_provider(settings, page.identity_provider);
    auto work = finish_page_login(context_.env, std::move(**taken), std::move(parameters),
                                  std::move(browser_binding), page.principal, page.groups);
    auto login = co_await drive(context_.ex, context_.network, options, std::move(work));
    if (!login)
        co_return login.error();
    if (login->principal.empty())
        co_return failure::permanent(fault::reauth_failed,
                                     "the identity provider does not say who it is: its ID token has no " +
                                         page.principal,
                                     "set approval.sign_in.principal, or ask for the scope that brings it "
                                     "(approval.sign_in.scopes)");
    page_person who;
    who.id = random_token(context_.env.random, 16);
    who.principal = principal_name(page.name, login->principal);
    who.shown = login->who.email.empty() ? login->who.preferred : login->who.email;
    if (who.shown.empty())
        who.shown = login->principal;
    who.issuer = login->who.issuer;
    who.subject = login->who.subject;
    who.session = login->who.session;
    const auto& operators = page.operator_groups;
    who.operates = std::any_of(login->groups.begin(), login->groups.end(), [&](const auto& group) {
        return std::find(operators.begin(), operators.end(), group) != operators.end();
    });
    who.begun = who.seen = context_.env.now();
    who.issued = login->who.issued_at.value_or(who.begun);
    audit_.say("sign_in",
               {{"how", "page"},
                {"principal", who.principal},
                {"subject", who.subject},
                {"issuer", who.issuer},
                {"operator", who.operates ? "yes" : "no"}},
               true);
    log_event(log_level::info, "signed in to the page",
              {{"principal", who.principal}, {"operator", who.operates ? "yes" : "no"}});
    co_return who;
}

/// What the provider has ended is compared by its own clock, what was ended here by ours.
bool page_desk::over(const page_person& who) const {
    const auto& page = lives_.table()->settings->approval.sign_in;
    const auto now = context_.env.now();
    if (!page || who.begun > now + clocks_differ || now - who.begun >= page->lifetime ||
        now - who.seen >= page->idle)
        return true;
    std::vector<std::uint64_t> theirs{identity_key(identity_kind::subject, who.issuer, who.subject)};
    if (!who.session.empty())
        theirs.push_back(identity_key(identity_kind::session, who.issuer, who.session));
    return identities_.over(theirs, who.issued) ||
           identities_.over({identity_key(identity_kind::principal, {}, who.principal),
                             identity_key(identity_kind::session, {}, who.id)},
                            who.begun);
}

task<void> page_desk::end_page_session(page_person who) {
    const auto at = std::max({context_.env.now(), who.begun, who.seen}); // replicas' clocks differ
    auto ended = co_await identities_.end_page_session(who.id, at);
    if (!ended)
        log_vault_trouble(ended.error());
}

std::string page_desk::seal(const std::string& text) const {
    return sealing_.seal ? sealing_.seal(text) : std::string();
}

std::optional<std::string> page_desk::unseal(const std::string& sealed) const {
    return sealing_.unseal ? sealing_.unseal(sealed) : std::nullopt;
}

} // namespace reauth
