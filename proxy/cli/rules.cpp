// rules: what was remembered from the page; what people have approved so often that a rule could say it.
#include "proxy/cli/command.hpp"

#include "policy/rules/rules.hpp"
#include "proxy/cli/api_client.hpp"
#include "proxy/cli/json_text.hpp"

#include <map>
#include <memory>
#include <ostream>
#include <tuple>

namespace reauth {
namespace {

struct rules_arguments {
    std::string revoke;
    bool suggest = false;
    unsigned least = 3;
};

int print_rules(const command_context& context, const nlohmann::json& answer) {
    const auto list = array_of(answer, "rules");
    if (context.json) {
        context.print_json({{"rules", list}});
        return exit_done;
    }
    if (list.empty()) {
        context.io.out << "No rule was remembered. The configuration's own: mcp-reauth check\n";
        return exit_done;
    }
    for (const auto& r : list)
        context.io.out << "- " << text_of(r, "rule", 2000) << "  # " << text_of(r, "id") << ", "
                       << time_of(r, "created_at") << '\n';
    context.io.out
        << "\nThey take the place of a confirmation. To be asked again: mcp-reauth rules --revoke ID\n";
    return exit_done;
}

/// What people were asked for.
struct question {
    bool call = false;
    std::string upstream, principal, subject; ///< subject: a tool, a method, or scopes
    friend auto operator<=>(const question&, const question&) = default;
};
struct answers {
    unsigned yes = 0, no = 0;
};

/// `tools/call NAME` or a method: what an approved call's line tells of it.
std::pair<std::string, std::string> call_of(const std::string& detail) {
    const auto space = detail.find(' ');
    return {detail.substr(0, space), space == detail.npos ? std::string() : detail.substr(space + 1)};
}

/// Newest first or not: each decision counts once.
std::map<question, answers> count(const nlohmann::json& history) {
    std::map<question, answers> all;
    for (const auto& e : history) {
        const auto approval = text_of(e, "approval"), how = text_of(e, "how");
        if (approval.empty())
            continue;
        const bool call = how == "call approved";
        const bool confirmed = text_of(e, "what") == "recovery" && text_of(e, "code") == "ok";
        const question q{call, text_of(e, "upstream"), text_of(e, "principal"),
                         call ? text_of(e, "detail") : text_of(e, "scopes")};
        if ((!call && !confirmed) || q.subject.empty())
            continue;
        ++all[q].yes;
    }
    for (const auto& e : history)
        if (text_of(e, "how") == "denied")
            for (auto& [q, a] : all)
                if (q.upstream == text_of(e, "upstream") && q.principal == text_of(e, "principal"))
                    ++a.no;
    return all;
}

rule rule_for(const question& q) {
    rule r;
    r.match.upstream = {q.upstream};
    r.match.principal = {q.principal};
    if (q.call) {
        const auto [method, tool] = call_of(q.subject);
        (tool.empty() ? r.match.method : r.match.tool) = {tool.empty() ? method : tool};
        r.name = "no approval for " + (tool.empty() ? method : tool);
        r.action = rule_action::interactive;
        return r;
    }
    r.match.reason = {"insufficient_scope"};
    r.match.scopes = scope_set::parse(q.subject).tokens();
    r.name = "no confirmation for " + q.subject;
    r.action = rule_action::silent;
    return r;
}

int suggest(const command_context& context, const api_client& api, unsigned least) {
    auto answer = api.get("/api/history?limit=5000");
    if (!answer)
        return context.fail(answer.error());
    auto& out = context.io.out;
    auto list = nlohmann::json::array();
    std::string text;
    for (const auto& [q, a] : count(array_of(*answer, "history"))) {
        if (a.yes < least || a.no > 0)
            continue;
        const auto yaml = to_yaml(rule_for(q));
        text += "  - " + yaml + "  # approved " + std::to_string(a.yes) + " times, never denied\n";
        list.push_back({{"rule", yaml}, {"approved", a.yes}});
    }
    if (context.json)
        context.print_json({{"suggestions", list}});
    else if (list.empty())
        out << "Nothing was approved " << least << " times and never denied.\n";
    else
        out << "# Read them first: each one lets something happen that a person was asked for. They belong "
               "before the\n"
               "# rules that ask; with `observe: true` they are only recorded.\npolicy:\n"
            << text;
    return exit_done;
}

int run_rules(const command_context& context, const api_client& api, const rules_arguments& given) {
    if (given.suggest)
        return suggest(context, api, given.least);
    if (given.revoke.empty()) {
        auto answer = api.get("/api/rules");
        return answer ? print_rules(context, *answer) : context.fail(answer.error());
    }
    auto answer = api.post("/api/rules/" + path_segment(given.revoke) + "/revoke");
    if (!answer)
        return context.fail(answer.error());
    if (context.json)
        context.print_json(*answer);
    else
        context.io.out << "Revoked.\n";
    return exit_done;
}

} // namespace

void add_rules(CLI::App& app, command_context& context) {
    auto* verb =
        app.add_subcommand("rules", "what was remembered from the page: list, revoke; suggest rules");
    auto given = std::make_shared<rules_arguments>();
    verb->add_option("--revoke", given->revoke, "be asked again: the ID of a remembered rule");
    verb->add_flag("--suggest", given->suggest,
                   "rules, as YAML to read, for what people have approved again and again");
    verb->add_option("--least", given->least, "with --suggest: how often (default 3)")
        ->check(CLI::Range(2, 1000));
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, given] {
        context.run = [&context, given] {
            return with_api(context, [&](const api_client& api) { return run_rules(context, api, *given); });
        };
    });
}

} // namespace reauth
