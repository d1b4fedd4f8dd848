// doctor: walks an upstream's discovery and says what is wrong and what to change.
#include "proxy/cli/command.hpp"

#include "conf/values.hpp"
#include "core/oauth/challenge.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"
#include "policy/flows/discovery_flow.hpp"
#include "policy/rules/recovery_plan.hpp"
#include "proxy/recovery/fetcher_http.hpp"
#include "proxy/recovery/flow_driver.hpp"
#include "proxy/recovery/token_source.hpp"
#include "proxy/recovery/upstream_probe.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <memory>
#include <ostream>

namespace reauth {

namespace {

enum class finding_level { good, note, bad };

struct finding {
    finding_level level;
    std::string message;
};

struct examination {
    std::vector<finding> findings;
    std::vector<discovery_step> steps;

    void good(std::string m) { findings.push_back({finding_level::good, std::move(m)}); }
    void note(std::string m) { findings.push_back({finding_level::note, std::move(m)}); }
    void bad(std::string m) { findings.push_back({finding_level::bad, std::move(m)}); }
    bool failed() const {
        for (const auto& f : findings)
            if (f.level == finding_level::bad)
                return true;
        return false;
    }
};

void judge_registration(examination& x, const config& c, const upstream_config& u,
                        const discovered_server& d) {
    const auto& as = d.server;
    if (!u.client.id.empty())
        x.good("The client " + clean_text(u.client.id) + " is pre-registered.");
    else if (as.client_id_metadata_document_supported && !c.client_metadata_url.empty())
        x.good("The client is identified by " + c.client_metadata_url + ".");
    else if (!as.registration_endpoint.empty() && d.used_defaults)
        x.note("Whether a client can register by itself is not known: no metadata says so. It is tried at " +
               clean_text(as.registration_endpoint) + " when somebody signs in.");
    else if (!as.registration_endpoint.empty())
        x.good("Its metadata offers registration (RFC 7591): the client can register by itself.");
    else
        x.bad("There is no way to get a client: register one at " + clean_text(as.issuer) +
              " and set client: {id: …, issuer: " + clean_text(as.issuer) + "}" +
              (as.client_id_metadata_document_supported ? ", or set client_metadata_url." : "."));
}

/// Which scopes a login will ask for, as far as that is known before it.
void judge_scopes(examination& x, const upstream_config& u, const discovered_server& d,
                  const scope_set& asked) {
    const auto scopes = first_scopes(u.scopes, asked, d.scopes_supported.value_or(scope_set()));
    const auto& theirs = d.server.scopes_supported;
    if (scopes.empty())
        x.note("No scope will be asked for: neither `scopes`, nor the challenge, nor the resource's metadata "
               "names "
               "one. Where the provider then grants nothing, set `scopes`" +
               (theirs && !theirs->empty() ? "; it knows: " + clean_text(theirs->to_string(), 400) + "."
                                           : std::string(".")));
    else if (theirs && !theirs->empty() && !theirs->covers(scopes))
        x.note("The login will ask for " + clean_text(scopes.without(*theirs).to_string(), 200) +
               ", which the authorization server does not list: if it says invalid_scope, set `scopes` to "
               "some of: " +
               clean_text(theirs->to_string(), 400) + ".");
}

/// Whether a login can be expected to bring a refresh token.
void judge_renewal(examination& x, const authorization_server& as) {
    if (!as.may_support_grant("refresh_token"))
        x.note("It does not list the grant refresh_token: a sign-in will have to be repeated when its token "
               "ends.");
    else if (as.is_openid_provider() && as.scopes_supported && !as.offers_offline_access())
        x.note("It does not list the scope offline_access: it may give no refresh token. If it knows the "
               "scope all the "
               "same, add it to `scopes`.");
}

void judge_server(examination& x, const config& c, const upstream_config& u, const discovered_server& d,
                  const scope_set& asked) {
    const auto& as = d.server;
    if (d.used_defaults)
        x.note("No metadata was found. Assumed, not seen: " + clean_text(d.issuer()) +
               " with the default endpoints of a 2025-03-26 server.");
    else
        x.good("The authorization server is " + clean_text(d.issuer()) + ".");
    if (host_of(as.token_endpoint) != host_of(as.issuer))
        x.note("Its token endpoint is on another host: " + display_host(host_of(as.token_endpoint)) + ".");
    if (u.grant == grant_kind::authorization_code) {
        if (auto pkce = check_pkce(as, u.allow_missing_pkce); !pkce && !d.used_defaults)
            x.bad(pkce.error().describe());
        if (u.login == login_kind::device && as.device_authorization_endpoint.empty())
            x.bad(as.without("device_authorization_endpoint").describe() + "; or set login: browser.");
        if (u.login == login_kind::browser && as.authorization_endpoint.empty())
            x.bad(as.without("authorization_endpoint").describe());
        if (const auto front = check_front_channel(as, u.par != par_mode::never);
            !front && u.login == login_kind::browser)
            x.bad(front.error().describe());
        judge_registration(x, c, u, d);
        judge_scopes(x, u, d, asked);
        judge_renewal(x, as);
    }
    if (as.token_endpoint.empty())
        x.bad("It names no token_endpoint: no token can be had there.");
    if (u.grant == grant_kind::enterprise && !as.offers_id_jag())
        x.note("It does not advertise the ID-JAG grant profile; enterprise may still work.");
    if (u.grant == grant_kind::client_credentials && !as.may_support_grant("client_credentials"))
        x.bad("It does not list the grant client_credentials.");
    const bool secret_goes = !u.client.client_secret.empty() || u.grant == grant_kind::enterprise ||
                             u.grant == grant_kind::jwt_bearer;
    if (secret_goes && u.client.issuer.empty() && !same_origin(as.issuer, u.url) &&
        !is_loopback_host(host_of(as.issuer)))
        x.bad("A secret would go to an issuer that is not pinned. Check that it is right, then add client: "
              "{issuer: " +
              clean_text(as.issuer) + "}.");
    for (const auto& [name, why] : as.ignored)
        x.note("Its " + name + " is ignored: " + why + ".");
    if (u.dpop == dpop_mode::require && !as.offers_dpop())
        x.bad("dpop: require is set, but it lists no DPoP algorithm that we have (ES256).");
    if (!d.resource.empty())
        x.note("Tokens are asked with resource=" + clean_text(d.resource) +
               (is_entra(as.issuer) ? "; Entra refuses that beside scopes of its own: set resource: omit."
                                    : "; if the server refuses that, set resource: omit."));
}

task<void> examine(executor ex, const config& c, const upstream_config& u, http_fetcher& network,
                   examination& x) {
    const auto options = options_for(u, u.token_request.value_or(c.limits.token_request));
    auto request = upstream_probe(u);
    auto answer = co_await network.fetch(std::move(request), options);
    if (!answer) {
        x.bad("The upstream does not answer: " + answer.error().describe());
        co_return;
    }
    const auto challenge = read_challenge(answer->status, answer->headers, false);
    const auto status = std::to_string(answer->status);
    const bool open_door = challenge.kind == challenge_kind::not_a_challenge;
    if (open_door)
        x.note("Without a token it answers " + status +
               (answer->status < 300 ? ": it wants none, at least for this request."
                                     : ", no challenge: what it wants can't be told from that."));
    else
        x.good("Without a token it answers " + status + " with a challenge" +
               (challenge.resource_metadata.empty() ? "; it names no resource_metadata."
                                                    : " that names its metadata."));
    if (u.grant == grant_kind::static_token) {
        x.note("The grant is static: nothing is discovered.");
        co_return;
    }
    auto wanted = discovery_of(u, challenge.resource_metadata);
    auto report = co_await drive(ex, network, options, discover_with_report(std::move(wanted)));
    x.steps = std::move(report.steps);
    if (open_door && (!report.outcome || report.outcome->used_defaults))
        x.note("It names no authorization server either: there is nothing to sign in to, as far as can be "
               "seen.");
    else if (report.outcome)
        judge_server(x, c, u, *report.outcome, challenge.scope.value_or(scope_set()));
    else
        x.bad(report.outcome.error().describe());
    const auto idp = c.identity_providers.find(u.identity_provider);
    if (idp == c.identity_providers.end())
        co_return;
    const auto idp_options = options_for_provider(c, idp->first);
    auto provider = co_await drive(ex, network, idp_options, discover_issuer(idp->second.issuer));
    if (provider)
        x.good("The identity provider " + idp->first + " has metadata.");
    else
        x.bad("The identity provider " + idp->first + ": " + provider.error().describe());
}

std::string_view mark(finding_level level) {
    return level == finding_level::good ? "ok    " : level == finding_level::note ? "note  " : "WRONG ";
}

int print(const command_context& context, const std::string& upstream, const examination& x) {
    if (context.json) {
        auto findings = nlohmann::json::array(), steps = nlohmann::json::array();
        for (const auto& f : x.findings)
            findings.push_back({{"level", f.level == finding_level::good   ? "ok"
                                          : f.level == finding_level::note ? "note"
                                                                           : "wrong"},
                                {"message", f.message}});
        for (const auto& s : x.steps)
            steps.push_back(
                {{"url", clean_text(s.url)}, {"found", s.found}, {"outcome", clean_text(s.outcome, 400)}});
        context.print_json(
            {{"upstream", upstream}, {"ok", !x.failed()}, {"findings", findings}, {"discovery", steps}});
        return x.failed() ? exit_failed : exit_done;
    }
    for (const auto& s : x.steps)
        context.io.out << "look  " << clean_text(s.url) << ": " << clean_text(s.outcome, 400) << '\n';
    for (const auto& f : x.findings)
        context.io.out << mark(f.level) << f.message << '\n';
    return x.failed() ? exit_failed : exit_done;
}

} // namespace

void add_doctor(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("doctor", "walk an upstream's discovery and say what is wrong");
    auto name = std::make_shared<std::string>();
    verb->add_option("UPSTREAM", *name, "its name in the configuration, or a URL")->required();
    add_http_option(*verb, context.allow_http);
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, name] {
        context.run = [&context, name] {
            auto in = context.inputs();
            if (!in)
                return context.fail(in.error());
            const bool by_url = names_url(*name);
            auto c = by_url ? config_for_url(*name, *in) : context.full_config();
            if (!c)
                return context.fail(c.error());
            auto u = find_upstream(*c, by_url ? c->upstreams.front().name : *name);
            if (!u)
                return context.fail(u.error());
            auto rules = egress_rules::parse(c->egress.allow);
            if (!rules)
                return context.fail(rules.error());
            examination x;
            asio::io_context io(1);
            http_fetcher network(io.get_executor(), *rules, c->outbound);
            asio::co_spawn(io, examine(io.get_executor(), *c, *u, network, x), [](std::exception_ptr e) {
                if (e)
                    std::rethrow_exception(e);
            });
            io.run();
            return print(context, *name, x);
        };
    });
}

} // namespace reauth
