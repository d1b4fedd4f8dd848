// explain: what would happen at a hypothetical challenge, and why. Touches nothing: configuration and pure
// rules.
#include "proxy/cli/command.hpp"

#include "core/oauth/challenge.hpp"
#include "core/text/display_text.hpp"
#include "policy/rules/judgement.hpp"
#include "proxy/cli/explain_recorded.hpp"
#include "proxy/cli/table.hpp"

#include <memory>
#include <ostream>

namespace reauth {

namespace {

struct hypothesis {
    std::string upstream, tool, method, principal = "local", granted;
    unsigned status = 401;
    std::vector<std::string> www_authenticate;
    std::vector<std::string> groups;
    bool held = false, refresh_token = false, idp_session = false;
};

struct explanation {
    parsed_challenge challenge;
    recovery_plan plan;
    decision verdict;
    std::string flow, client_sees;
    std::string before; ///< the rule that wants a person to approve the call before it is sent; empty: none
};

std::string step_names(const recovery_plan& plan, bool with_person) {
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

std::string error_words(const failure& why) {
    return "the error " + std::string(to_string(why.code)) + ": " + why.message;
}

/// What the judgement of the running program comes to, and what it comes to if the silent steps are refused.
void conclude(explanation& e, const judgement& first, const judgement& after) {
    const auto wait =
        "a wait (wait.mode " + std::string(to_string(first.rule.wait.mode)) + ") until a person has ";
    switch (first.move) {
    case next_move::relay:
        e.flow = "none";
        e.client_sees = "the upstream's own answer and challenge, untouched";
        return;
    case next_move::answer:
        e.flow = "none";
        e.client_sees = error_words(first.why);
        return;
    case next_move::wait:
        e.flow = "none";
        e.client_sees = "a wait for whatever credential comes";
        return;
    case next_move::ask:
        e.flow = first.confirm_first ? "a person confirms, then " + step_names(first.plan, true)
                                     : step_names(first.plan, true);
        e.client_sees = wait + (first.confirm_first ? "decided" : "logged in") + ", then its answer";
        return;
    case next_move::silent:
        e.flow = step_names(first.plan, after.move == next_move::ask);
        e.client_sees = after.move == next_move::ask
                            ? "its answer, a little later; a wait for a person only if the silent way fails"
                            : "its answer, a little later; an error if that fails";
        return;
    }
}

explanation explain(const config& c, const upstream_config& u, const hypothesis& h) {
    explanation e;
    const std::vector<std::string_view> lines(h.www_authenticate.begin(), h.www_authenticate.end());
    e.challenge = read_challenge(h.status, lines, {}, h.held);
    judgement_facts facts;
    auto& held = facts.recovery;
    held.grant = u.grant;
    held.reason = reason_for(e.challenge.kind).value_or(challenge_reason::unauthorized);
    if (e.challenge.scope)
        held.challenged = *e.challenge.scope;
    held.configured = u.scopes;
    held.held = h.held;
    held.refresh_token = h.refresh_token;
    held.requested = held.granted = scope_set::parse(h.granted);
    held.idp_session = h.idp_session;
    facts.request.upstream = u.name;
    facts.request.principal = h.principal;
    facts.request.groups = h.groups;
    if (!h.method.empty() || !h.tool.empty())
        facts.request.operations.push_back({h.method.empty() ? "tools/call" : h.method, h.tool});
    if (const auto* rule =
            rule_for_call(c.policy, {u.name, h.principal, h.groups}, facts.request.operations).matched)
        e.before = rule->label();
    const auto first = judge(c.policy, facts);
    facts.silent_failure = failure::permanent(fault::reauth_failed, "refused");
    held.idp_session = false; // refused because the session is gone
    const auto after = judge(c.policy, facts);
    e.plan = first.plan;
    e.verdict = first.rule;
    conclude(e, first, after);
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
                            {"approved_before_it_is_sent", e.before},
                            {"flow", e.flow},
                            {"client_sees", e.client_sees},
                            {"explanation", e.verdict.explanation}});
        return exit_done;
    }
    auto& out = context.io.out;
    if (!e.before.empty())
        out << "Before it is sent, rule " << e.before << " wants a person to approve exactly this call.\n\n";
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
    auto* name = verb->add_option("UPSTREAM", h->upstream, "its name in the configuration");
    auto recorded = std::make_shared<bool>(false);
    verb->add_flag("--recorded", *recorded,
                   "what was recorded, before this policy (--config NEW.yaml): what would end in another way")
        ->excludes(name);
    verb->add_option("--status", h->status, "the upstream's status (default 401)")
        ->check(CLI::Range(100, 599));
    verb->add_option("--www-authenticate", h->www_authenticate, "the challenge; may be repeated")
        ->take_all()
        ->expected(1);
    verb->add_option("--tool", h->tool, "of a tools/call");
    verb->add_option("--method", h->method, "the JSON-RPC method");
    verb->add_option("--principal", h->principal, "on whose behalf (default: local)");
    verb->add_option("--group", h->groups, "a group that the caller is in; may be repeated")
        ->take_all()
        ->expected(1);
    verb->add_flag("--held", h->held, "a credential is held and was sent");
    verb->add_option("--granted", h->granted, "the scopes it has, separated by spaces (implies --held)");
    verb->add_flag("--refresh-token", h->refresh_token, "it has a refresh token (implies --held)");
    verb->add_flag("--idp-session", h->idp_session, "the login at the identity provider is still valid");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, h, recorded] {
        context.run = [&context, h, recorded] {
            if (*recorded)
                return explain_recorded(context);
            if (h->upstream.empty())
                return context.fail(failure::permanent(fault::invalid_configuration, "UPSTREAM is missing",
                                                       "name one of the configuration, or give --recorded"));
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
