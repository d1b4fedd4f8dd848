// rules and history: what was remembered, and what has happened.
#include "proxy/cli/command.hpp"

#include "proxy/cli/api_client.hpp"
#include "proxy/cli/json_text.hpp"
#include "proxy/cli/table.hpp"

#include <memory>
#include <ostream>

namespace reauth {

namespace {

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

std::string took(const nlohmann::json& entry) {
    const auto found = entry.find("took_ms");
    if (found == entry.end() || !found->is_number_integer())
        return "-";
    const auto ms = found->get<long long>();
    if (ms < 1000)
        return std::to_string(ms) + " ms";
    return ms < 120'000 ? std::to_string(ms / 1000) + " s" : std::to_string(ms / 60'000) + " min";
}

int print_history(const command_context& context, const nlohmann::json& list) {
    if (context.json) {
        context.print_json({{"history", list}});
        return exit_done;
    }
    if (list.empty()) {
        context.io.out << "Nothing has happened since the proxy was started.\n";
        return exit_done;
    }
    std::vector<std::vector<std::string>> rows{
        {"WHEN", "UPSTREAM", "WHAT", "TOOK", "OUTCOME", "CLIENT", "DETAIL"}};
    for (const auto& e : list)
        rows.push_back({time_of(e, "at"), text_of(e, "upstream"), text_of(e, "how"), took(e),
                        text_of(e, "code"), text_of(e, "client").empty() ? "-" : text_of(e, "client"),
                        text_of(e, "detail", 120)});
    context.io.out << format_table(rows);
    return exit_done;
}

} // namespace

void add_rules(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("rules", "what was remembered from the page: list, revoke");
    auto id = std::make_shared<std::string>();
    verb->add_option("--revoke", *id, "be asked again: the ID of a remembered rule");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, id] {
        context.run = [&context, id] {
            return with_api(context, [&](const api_client& api) {
                if (id->empty()) {
                    auto answer = api.get("/api/rules");
                    return answer ? print_rules(context, *answer) : context.fail(answer.error());
                }
                auto answer = api.post("/api/rules/" + path_segment(*id) + "/revoke");
                if (!answer)
                    return context.fail(answer.error());
                if (context.json)
                    context.print_json(*answer);
                else
                    context.io.out << "Revoked.\n";
                return exit_done;
            });
        };
    });
}

void add_history(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("history", "the last recoveries, decisions and sign-ins");
    auto id = std::make_shared<std::string>();
    verb->add_option("ID", *id, "only of this approval");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, id] {
        context.run = [&context, id] {
            return with_api(context, [&](const api_client& api) {
                auto answer = api.get("/api/history");
                if (!answer)
                    return context.fail(answer.error());
                auto list = nlohmann::json::array();
                for (const auto& e : array_of(*answer, "history"))
                    if (id->empty() || text_of(e, "approval") == *id)
                        list.push_back(e);
                return print_history(context, list);
            });
        };
    });
}

} // namespace reauth
