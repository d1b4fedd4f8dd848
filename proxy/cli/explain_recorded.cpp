// Judged again, compared, counted.
#include "proxy/cli/explain_recorded.hpp"

#include "conf/accounts.hpp"
#include "policy/rules/recorded_judgement.hpp"
#include "proxy/cli/api_client.hpp"
#include "proxy/cli/json_text.hpp"
#include "proxy/cli/table.hpp"

#include <algorithm>
#include <map>
#include <ostream>

namespace reauth {
namespace {

/// What a recorded one comes to now.
struct compared {
    std::string recovery, at;
    recorded_judgement before, now;
    bool gone = false; ///< its upstream is not configured
    bool changed() const { return gone || before.outcome != now.outcome; }
};

std::string what_of(const recorded_judgement& j) {
    std::string out;
    for (const auto& o : j.facts.request.operations)
        out += (out.empty() ? "" : ", ") + o.method + (o.tool.empty() ? "" : " " + o.tool);
    const auto& wanted = j.facts.recovery.challenged;
    if (!wanted.empty())
        out += (out.empty() ? "" : "; ") + std::string("scope ") + wanted.to_string();
    return out.empty() ? "-" : out;
}

compared compare(const config& c, const nlohmann::json& one, recorded_judgement before) {
    compared out;
    out.recovery = text_of(one, "recovery");
    out.at = time_of(one, "at");
    const auto& name = before.facts.request.upstream;
    const auto* upstream = upstream_named(c, name);
    const bool session = before.facts.recovery.grant == grant_kind::idp_session;
    out.gone = !upstream && !(session && c.identity_providers.contains(name));
    if (!out.gone)
        out.now =
            judged_again(c.policy, before, upstream ? upstream->scopes : before.facts.recovery.configured,
                         upstream ? upstream->grant : grant_kind::idp_session);
    if (out.gone)
        out.now.outcome = "not configured";
    out.before = std::move(before);
    return out;
}

void print(const command_context& context, const std::vector<compared>& all) {
    auto& out = context.io.out;
    std::map<std::pair<std::string, std::string>, std::size_t> counts;
    std::map<std::string, std::size_t> observed;
    std::vector<std::vector<std::string>> rows{
        {"WHEN", "UPSTREAM", "PRINCIPAL", "WHAT", "WAS", "WOULD BE", "BY RULE", "ID"}};
    for (const auto& one : all) {
        for (const auto& o : one.now.observed)
            ++observed[o];
        if (!one.changed())
            continue;
        ++counts[{one.before.outcome, one.now.outcome}];
        const auto& request = one.before.facts.request;
        rows.push_back({one.at, request.upstream, request.principal, what_of(one.before), one.before.outcome,
                        one.now.outcome, one.now.rule.empty() ? "-" : one.now.rule, one.recovery});
    }
    out << all.size() << " judgements are recorded; " << rows.size() - 1 << " would end in another way.\n";
    for (const auto& [change, n] : counts)
        out << "  " << n << " × " << change.first << " → " << change.second << '\n';
    if (rows.size() > 1)
        out << '\n' << format_table(rows);
    for (const auto& [rule, n] : observed)
        out << "\nObserved: " << rule << " would have decided " << n << " of them.\n";
}

void print_json(const command_context& context, const std::vector<compared>& all) {
    auto changes = nlohmann::json::array();
    std::map<std::string, std::size_t> counts, observed;
    for (const auto& one : all) {
        for (const auto& o : one.now.observed)
            ++observed[o];
        if (!one.changed())
            continue;
        ++counts[one.before.outcome + " -> " + one.now.outcome];
        changes.push_back({{"recovery", one.recovery},
                           {"upstream", one.before.facts.request.upstream},
                           {"principal", one.before.facts.request.principal},
                           {"what", what_of(one.before)},
                           {"was", one.before.outcome},
                           {"would_be", one.now.outcome},
                           {"rule", one.now.rule}});
    }
    context.print_json({{"recorded", all.size()},
                        {"changed", changes.size()},
                        {"counts", counts},
                        {"observed", observed},
                        {"changes", changes}});
}

} // namespace

int explain_recorded(const command_context& context) {
    // the policy of the file that was named; the record of the proxy that runs
    auto c = context.full_config();
    if (!c)
        return context.fail(c.error());
    command_context running = context;
    running.config_file.clear();
    return with_api(context.config_file.empty() ? context : running, [&](const api_client& api) {
        auto answer = api.get("/api/judgements");
        if (!answer)
            return context.fail(answer.error());
        std::vector<compared> all;
        for (const auto& one : array_of(*answer, "judgements"))
            if (auto before = judgement_from_json(one))
                all.push_back(compare(*c, one, std::move(*before)));
        if (context.json)
            print_json(context, all);
        else
            print(context, all);
        return exit_done;
    });
}

} // namespace reauth
