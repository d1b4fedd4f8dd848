// history: what has happened, one line an event; with an id, its timeline.
#include "proxy/cli/command.hpp"

#include "conf/values.hpp"
#include "core/crypto/uuid.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/encoding.hpp"
#include "core/text/time_text.hpp"
#include "proxy/cli/api_client.hpp"
#include "proxy/cli/json_text.hpp"
#include "proxy/cli/table.hpp"

#include <algorithm>
#include <memory>
#include <ostream>
#include <set>
#include <thread>

namespace reauth {
namespace {

struct history_arguments {
    std::string id, upstream, principal, since;
    unsigned limit = 200;
    bool follow = false;
};

std::string milliseconds_text(long long ms) {
    if (ms < 1000)
        return std::to_string(ms) + " ms";
    return ms < 120'000 ? std::to_string(ms / 1000) + " s" : std::to_string(ms / 60'000) + " min";
}

std::string took(const nlohmann::json& entry) {
    const auto found = entry.find("took_ms");
    return found != entry.end() && found->is_number_integer() ? milliseconds_text(found->get<long long>())
                                                              : "-";
}

std::string or_dash(std::string text) {
    return text.empty() ? "-" : text;
}

std::vector<std::string> row_of(const nlohmann::json& e, const std::string& when) {
    return {when,
            text_of(e, "upstream"),
            text_of(e, "how"),
            took(e),
            text_of(e, "code"),
            or_dash(text_of(e, "client")),
            or_dash(text_of(e, "by")),
            or_dash(text_of(e, "recovery")),
            text_of(e, "detail", 120)};
}

const std::vector<std::string> headings{"WHEN",   "UPSTREAM", "WHAT", "TOOK",  "OUTCOME",
                                        "CLIENT", "BY",       "ID",   "DETAIL"};

int print_list(const command_context& context, const nlohmann::json& list) {
    if (context.json) {
        context.print_json({{"history", list}});
        return exit_done;
    }
    if (list.empty()) {
        context.io.out << "Nothing has happened that is kept.\n";
        return exit_done;
    }
    std::vector<std::vector<std::string>> rows{headings};
    for (const auto& e : list)
        rows.push_back(row_of(e, time_of(e, "at")));
    context.io.out << format_table(rows) << "\nWhat happened in one of them: mcp-reauth history ID\n";
    return exit_done;
}

/// `2h` ago, or a time.
result<std::string> since_text(const std::string& given) {
    if (given.empty())
        return std::string();
    if (const auto ago = parse_duration(given))
        return rfc3339_ms(wall_clock::now() - *ago);
    if (parse_rfc3339(given))
        return given;
    return failure::permanent(fault::invalid_configuration, "--since is no time: " + given,
                              "write a duration like 2h, or 2026-01-31T12:00:00Z");
}

result<std::string> path_for(const history_arguments& given) {
    auto since = since_text(given.since);
    if (!since)
        return since;
    std::string path = "/api/history?limit=" + std::to_string(given.limit);
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty())
            path.append(1, '&').append(name).append(1, '=').append(percent_encode(value));
    };
    add("upstream", given.upstream);
    add("principal", given.principal);
    add("since", *since);
    return path;
}

std::string facts_text(const nlohmann::json& step) {
    std::string out;
    const auto facts = step.find("facts");
    if (facts != step.end() && facts->is_object())
        for (const auto& [name, value] : facts->items())
            out += (out.empty() ? "" : "  ") + name + "=" + text_of(*facts, name.c_str());
    return out;
}

std::string offset_text(const nlohmann::json& step, time_point began) {
    const auto at = parse_rfc3339(text_of(step, "at"));
    const auto ms = at ? std::chrono::duration_cast<std::chrono::milliseconds>(*at - began).count() : 0;
    return "+" + milliseconds_text(std::max<long long>(0, ms));
}

int print_timeline(const command_context& context, const nlohmann::json& t) {
    if (context.json) {
        context.print_json(t);
        return exit_done;
    }
    auto& out = context.io.out;
    const auto began = parse_rfc3339(text_of(t, "began")).value_or(time_point());
    std::vector<std::vector<std::string>> head{{"id", text_of(t, "id")},
                                               {"began", text_of(t, "began")},
                                               {"upstream", text_of(t, "upstream")},
                                               {"principal", text_of(t, "principal")},
                                               {"written by", text_of(t, "process")}};
    if (const auto trace = text_of(t, "trace"); !trace.empty())
        head.push_back({"trace", trace});
    if (const auto page = text_of(t, "page"); !page.empty())
        head.push_back({"to look at", page});
    out << format_table(head) << '\n';
    std::vector<std::vector<std::string>> rows{{"AT", "TOOK", "WHAT", "FACTS"}};
    for (const auto& s : array_of(t, "steps"))
        rows.push_back({offset_text(s, began), took(s), text_of(s, "what"), facts_text(s)});
    out << format_table(rows);
    if (const auto left = t.value("left_off", 0LL); left > 0)
        out << "… and " << left << " steps that found no room.\n";
    return exit_done;
}

/// Those of an approval, by its id.
nlohmann::json of_approval(const nlohmann::json& list, const std::string& id) {
    auto out = nlohmann::json::array();
    for (const auto& e : list)
        if (text_of(e, "approval") == id)
            out.push_back(e);
    return out;
}

/// As the running proxy has it, newest first.
result<nlohmann::json> list_of(const api_client& api, const history_arguments& given) {
    const auto path = path_for(given);
    if (!path)
        return path.error();
    auto answer = api.get(*path);
    if (!answer)
        return answer.error();
    return result<nlohmann::json>(boost::system::in_place_value, array_of(*answer, "history"));
}

/// Prints what is new, the oldest first, until the proxy ends.
int follow(const command_context& context, const api_client& api, const history_arguments& given) {
    constexpr std::chrono::seconds pause{1};
    std::set<std::string> seen;
    for (bool first = true;; first = false) {
        auto list = list_of(api, given);
        if (!list)
            return context.fail(list.error());
        std::reverse(list->begin(), list->end());
        for (const auto& e : *list) {
            if (!seen.insert(json_text(e)).second || (first && given.since.empty()))
                continue;
            if (context.json)
                context.io.out << json_text(e) << std::endl;
            else {
                std::string line;
                for (const auto& cell : row_of(e, text_of(e, "at")))
                    line += (line.empty() ? "" : "  ") + cell;
                context.io.out << line << std::endl;
            }
        }
        std::this_thread::sleep_for(pause);
    }
}

int run_history(const command_context& context, const api_client& api, const history_arguments& given) {
    if (is_uuid(given.id)) {
        auto answer = api.get("/api/history/" + path_segment(given.id));
        return answer ? print_timeline(context, *answer) : context.fail(answer.error());
    }
    if (given.follow)
        return follow(context, api, given);
    const auto list = list_of(api, given);
    if (!list)
        return context.fail(list.error());
    return print_list(context, given.id.empty() ? *list : of_approval(*list, given.id));
}

} // namespace

void add_history(CLI::App& app, command_context& context) {
    auto* verb =
        app.add_subcommand("history", "recoveries, decisions and sign-ins; with an ID, what happened in it");
    auto given = std::make_shared<history_arguments>();
    verb->add_option("ID", given->id, "of a recovery: its timeline; of an approval: what belongs to it");
    verb->add_option("--upstream", given->upstream, "only of this upstream");
    verb->add_option("--principal", given->principal, "only of this principal");
    verb->add_option("--since", given->since, "not older than that: 2h, or 2026-01-31T12:00:00Z");
    verb->add_option("--limit", given->limit, "how many (default 200)")->check(CLI::Range(1, 5000));
    verb->add_flag("--follow", given->follow, "go on with what happens from now on");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, given] {
        context.run = [&context, given] {
            return with_api(context,
                            [&](const api_client& api) { return run_history(context, api, *given); });
        };
    });
}

} // namespace reauth
