// explain: what would happen at a hypothetical challenge, and why. Touches nothing: configuration and pure
// rules.
#include "proxy/cli/command.hpp"

#include "core/challenge.hpp"
#include "core/display_text.hpp"
#include "policy/decision.hpp"
#include "policy/recovery_plan.hpp"
#include "proxy/cli/table.hpp"

#include <memory>
#include <ostream>

namespace reauth {

namespace {

struct hypothesis {
    std::string upstream, tool, method, principal = "local", granted;
    unsigned status = 401;
    std::vector<std::string> www_authenticate;
    bool held = false, refresh_token = false, idp_session = false;
};

struct explanation {
    parsed_challenge challenge;
    recovery_plan plan;
    decision verdict;
    std::string flow, client_sees;
};

challenge_reason reason_of(challenge_kind k) {
    switch (k) {
    case challenge_kind::token_expired:
        return challenge_reason::token_expired;
    case challenge_kind::invalid_token:
        return challenge_reason::invalid_token;
    case challenge_kind::insufficient_scope:
        return challenge_reason::insufficient_scope;
    default:
        return challenge_reason::unauthorized;
    }
}

std::string rungs(const recovery_plan& plan, bool with_person) {
    std::string out;
    const auto add = [&](recovery_step r) {
        out += (out.empty() ? "" : ", then ") + std::string(to_string(r));
    };
    for (auto r : plan.silent)
        add(r);
    if (with_person && plan.person)
        add(*plan.person);
    return out.empty() ? "nothing" : out;
}

/// Flow and client's view, from the plan under the rule's action.
void conclude(explanation& e) {
    const auto& plan = e.plan;
    if (e.verdict.action == rule_action::pass) {
        e.flow = "none";
        e.client_sees = "the upstream's own answer and challenge, untouched";
    } else if (e.verdict.action == rule_action::deny) {
        e.flow = "none";
        e.client_sees = "the error denied_by_policy with the rule's name";
    } else if (plan.hopeless() || plan.final) {
        e.flow = "none";
        e.client_sees = plan.step_up ? "the error insufficient_scope" : "the error reauth_failed";
    } else if (e.verdict.action == rule_action::silent) {
        e.flow = rungs(plan, false);
        e.client_sees = plan.silent.empty()
                            ? "the error " +
                                  std::string(plan.step_up ? "insufficient_scope" : "approval_required") +
                                  ": the rule allows nothing that needs a person"
                            : "its answer, a little later; an error if that fails";
    } else if (e.verdict.action == rule_action::confirm) {
        e.flow = "a person confirms, then " + rungs(plan, true);
        e.client_sees = "a wait (wait.mode " + std::string(to_string(e.verdict.wait.mode)) +
                        ") until a person has decided, then its answer";
    } else {
        e.flow = rungs(plan, true);
        e.client_sees = plan.silent.empty()
                            ? "a wait (wait.mode " + std::string(to_string(e.verdict.wait.mode)) +
                                  ") until a person has logged in, then its answer"
                            : "its answer, a little later; a wait for a person only if the silent way fails";
    }
}

explanation explain(const config& c, const upstream_config& u, const hypothesis& h) {
    explanation e;
    std::vector<std::string_view> lines(h.www_authenticate.begin(), h.www_authenticate.end());
    e.challenge = read_challenge(h.status, lines, {}, h.held);
    recovery_facts facts;
    facts.grant = to_string(u.grant);
    facts.reason = reason_of(e.challenge.kind);
    if (e.challenge.scope)
        facts.challenged = *e.challenge.scope;
    facts.configured = u.scopes;
    facts.held = h.held;
    facts.refresh_token = h.refresh_token;
    facts.requested = facts.granted = scope_set::parse(h.granted);
    facts.idp_session = h.idp_session;
    e.plan = plan_recovery(facts);
    challenge_facts judged;
    judged.upstream = u.name;
    judged.principal = h.principal;
    judged.reason = e.plan.judged_as;
    judged.added = e.plan.added;
    judged.grant = to_string(u.grant);
    if (!h.method.empty() || !h.tool.empty())
        judged.operations.push_back({h.method.empty() ? "tools/call" : h.method, h.tool});
    e.verdict = decide(c.policy, judged);
    conclude(e);
    return e;
}

std::string shown(const scope_set& s) {
    return s.empty() ? "-" : s.to_string();
}

int print(const command_context& context, const hypothesis& h, const explanation& e) {
    const auto& asked = e.plan.person || e.plan.silent.empty() ? e.plan.login_scopes : e.plan.silent_scopes;
    const auto challenged = e.challenge.scope ? *e.challenge.scope : scope_set{};
    const auto granted = scope_set::parse(h.granted);
    if (context.json) {
        context.print_json({{"upstream", h.upstream},
                            {"challenge",
                             {{"kind", to_string(e.challenge.kind)},
                              {"error", clean_text(e.challenge.error)},
                              {"error_description", clean_text(e.challenge.error_description)},
                              {"resource_metadata", clean_text(e.challenge.resource_metadata)}}},
                            {"judged_as", to_string(e.plan.judged_as)},
                            {"rule", {{"name", e.verdict.matched.name}, {"where", e.verdict.matched.where}}},
                            {"action", to_string(e.verdict.action)},
                            {"scopes",
                             {{"granted", granted.tokens()},
                              {"challenged", challenged.tokens()},
                              {"requested", asked.tokens()},
                              {"added", e.plan.added.tokens()}}},
                            {"flow", e.flow},
                            {"client_sees", e.client_sees},
                            {"explanation", e.verdict.explanation}});
        return exit_done;
    }
    auto& out = context.io.out;
    if (e.challenge.kind == challenge_kind::not_a_challenge) {
        out << "Status " << h.status
            << " with these fields is no challenge: the answer is relayed to the client as it is, less "
               "WWW-Authenticate.\n";
        return exit_done;
    }
    if (e.challenge.kind == challenge_kind::dpop_nonce) {
        out << "The upstream only wants its DPoP nonce: the request is repeated with it; no rule is asked.\n";
        return exit_done;
    }
    std::vector<std::vector<std::string>> rows{{"challenge", std::string(to_string(e.challenge.kind))}};
    if (!e.challenge.error_description.empty())
        rows.push_back({"", clean_text(e.challenge.error_description)});
    rows.push_back({"judged as", std::string(to_string(e.plan.judged_as))});
    rows.push_back({"rule", e.verdict.matched.label() + ": " + std::string(to_string(e.verdict.action))});
    rows.push_back({"scopes granted", shown(granted)});
    rows.push_back({"challenged", shown(challenged)});
    rows.push_back({"asked for", shown(asked)});
    rows.push_back({"added", shown(e.plan.added)});
    rows.push_back({"what would run", e.flow});
    rows.push_back({"the client sees", e.client_sees});
    out << format_table(rows) << '\n' << e.verdict.explanation << ".\n";
    if (!e.plan.explanation.empty())
        out << e.plan.explanation << '\n';
    return exit_done;
}

} // namespace

void add_explain(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("explain", "what would happen at a challenge, and why; touches nothing");
    auto h = std::make_shared<hypothesis>();
    verb->add_option("UPSTREAM", h->upstream, "its name in the configuration")->required();
    verb->add_option("--status", h->status, "the upstream's status (default 401)")
        ->check(CLI::Range(100, 599));
    verb->add_option("--www-authenticate", h->www_authenticate, "the challenge; may be repeated")
        ->take_all()
        ->expected(1);
    verb->add_option("--tool", h->tool, "of a tools/call");
    verb->add_option("--method", h->method, "the JSON-RPC method");
    verb->add_option("--principal", h->principal, "on whose behalf (default: local)");
    verb->add_flag("--held", h->held, "a credential is held and was sent");
    verb->add_option("--granted", h->granted, "the scopes it has, separated by spaces (implies --held)");
    verb->add_flag("--refresh-token", h->refresh_token, "it has a refresh token (implies --held)");
    verb->add_flag("--idp-session", h->idp_session, "the login at the identity provider is still valid");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, h] {
        context.run = [&context, h] {
            auto c = context.full_config();
            if (!c)
                return context.fail(c.error());
            auto u = find_upstream(*c, h->upstream);
            if (!u)
                return context.fail(u.error());
            // a 403 that asks for more scope presupposes a token
            h->held = h->held || h->refresh_token || !h->granted.empty() || h->status == 403;
            return print(context, *h, explain(*c, *u, *h));
        };
    });
}

} // namespace reauth
