// approvals, approve, deny, open: what a person does about questions that wait.
#include "proxy/cli/command.hpp"

#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"
#include "proxy/cli/api_client.hpp"
#include "proxy/cli/json_text.hpp"
#include "proxy/cli/table.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>
#include <set>
#include <sstream>
#include <thread>

namespace reauth {

namespace {

std::vector<std::string> row_of(const nlohmann::json& a) {
    const auto& scopes = a.contains("scopes") ? a["scopes"] : nlohmann::json::object();
    auto wanted = joined(scopes, "added");
    if (wanted.empty())
        wanted = joined(scopes, "requested");
    return {text_of(a, "id"),
            text_of(a, "upstream"),
            text_of(a, "kind"),
            wanted.empty() ? "-" : wanted,
            text_of(a, "tool").empty() ? "-" : text_of(a, "tool"),
            text_of(a, "client").empty() ? "-" : text_of(a, "client", 40),
            text_of(a, "status"),
            time_of(a, "expires_at"),
            text_of(a, "principal")};
}

/// Lines of JSON, a little to the right: every character of them, visible.
std::string indented_arguments(const nlohmann::json& a) {
    std::string out;
    std::istringstream lines(json_string(a, "arguments"));
    for (std::string line; std::getline(lines, line);)
        out += "    " + visible_text(line) + '\n';
    return out;
}

int print_one(const command_context& context, const nlohmann::json& a) {
    if (context.json) {
        context.print_json(a);
        return exit_done;
    }
    const auto& scopes = a.contains("scopes") ? a["scopes"] : nlohmann::json::object();
    std::vector<std::vector<std::string>> rows;
    const auto row = [&](const char* name, const std::string& value) {
        if (!value.empty())
            rows.push_back({name, value});
    };
    for (const auto* name : {"id", "status", "kind", "upstream", "client", "tool", "method", "principal"})
        row(name, text_of(a, name));
    row("sent to", text_of(a, "target", 2000));
    row("granted", joined(scopes, "granted"));
    row("added", joined(scopes, "added"));
    row("sign-in at", text_of(a, "login_host"));
    row("issuer", text_of(a, "issuer"));
    row("expires", time_of(a, "expires_at"));
    row("outcome", text_of(a, "outcome"));
    for (const auto& warning : array_of(a, "warnings"))
        row("WARNING", warning.is_string() ? clean_text(warning.get<std::string>(), 400) : "");
    context.io.out << format_table(rows);
    if (const auto arguments = indented_arguments(a); !arguments.empty())
        context.io.out << "arguments\n" << arguments;
    return exit_done;
}

int print_approvals(const command_context& context, const nlohmann::json& answer) {
    const auto list = array_of(answer, "approvals");
    if (context.json) {
        context.print_json({{"approvals", list}});
        return exit_done;
    }
    if (list.empty()) {
        context.io.out << "Nothing waits for a person.\n";
        return exit_done;
    }
    std::vector<std::vector<std::string>> rows{
        {"ID", "UPSTREAM", "KIND", "SCOPES", "TOOL", "CLIENT", "STATUS", "EXPIRES", "PRINCIPAL"}};
    for (const auto& a : list)
        rows.push_back(row_of(a));
    context.io.out << format_table(rows);
    for (const auto& a : list) // what a person decides about has to be seen
        if (text_of(a, "kind") == "call")
            context.io.out << '\n'
                           << text_of(a, "id") << " would send " << text_of(a, "tool") << ":\n"
                           << indented_arguments(a);
    context.io.out << "\nmcp-reauth approve ID, mcp-reauth deny ID, or the page: mcp-reauth open\n";
    return exit_done;
}

/// Prints each approval once, as it comes, until the proxy goes away.
int watch_approvals(const command_context& context, const api_client& api) {
    std::set<std::string> seen;
    const auto followed = api.follow([&](const std::string& name, const nlohmann::json& data) {
        if (name != "approvals")
            return true;
        for (const auto& a : array_of(data, "approvals")) {
            if (!seen.insert(text_of(a, "id")).second)
                continue;
            if (context.json)
                context.io.out << json_text(a) << '\n';
            else
                context.io.out << format_table({row_of(a)});
            context.io.out.flush();
        }
        return true;
    });
    if (!followed)
        return context.fail(followed.error());
    return context.fail(failure::passing(fault::upstream_unreachable, "the proxy has ended",
                                         "start `mcp-reauth serve`, and watch again"));
}

struct approve_arguments {
    std::string id;
    bool print_url = false, device = false, unseen = false;
};

int approve(const command_context& context, const api_client& api, const approve_arguments& given) {
    auto body = nlohmann::json::object();
    if (given.device)
        body["method"] = "device";
    if (given.unseen)
        body["unseen"] = true;
    const bool print_url = given.print_url;
    auto answer = api.post("/api/approvals/" + path_segment(given.id) + "/approve", body);
    if (!answer)
        return context.fail(answer.error());
    const auto location = text_of(*answer, "location", 8192);
    if (context.json)
        context.print_json(*answer);
    else if (location.empty())
        context.io.out << "Done: approved, no login was needed.\n";
    else if (answer->contains("device") && !print_url)
        context.io.out << "On any device, open " << text_of((*answer)["device"], "verification_uri", 400)
                       << "\nand enter the code   " << text_of((*answer)["device"], "user_code")
                       << "\n\nOr open:\n\n  " << location << "\n";
    else if (print_url)
        context.io.out << location << '\n';
    else
        context.io.out << "Open this to log in:\n\n  " << location << "\n";
    return exit_done;
}

} // namespace

void add_approvals(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("approvals", "list what waits for a person");
    auto watch = std::make_shared<bool>(false);
    auto id = std::make_shared<std::string>();
    verb->add_option("ID", *id, "only this one, with all that is known of it");
    verb->add_flag("--watch", *watch, "print each as it comes");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, watch, id] {
        context.run = [&context, watch, id] {
            return with_api(context, [&](const api_client& api) {
                if (!id->empty()) {
                    auto one = api.get("/api/approvals/" + path_segment(*id));
                    return one ? print_one(context, *one) : context.fail(one.error());
                }
                if (*watch)
                    return watch_approvals(context, api);
                auto answer = api.get("/api/approvals");
                return answer ? print_approvals(context, *answer) : context.fail(answer.error());
            });
        };
    });
}

void add_approve(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("approve", "say yes to an approval");
    auto given = std::make_shared<approve_arguments>();
    verb->add_option("ID", given->id, "as `mcp-reauth approvals` lists it")->required();
    verb->add_flag("--print-url", given->print_url, "print only the URL to log in at");
    verb->add_flag("--device", given->device, "sign in on any device with a code (RFC 8628)");
    verb->add_flag("--unseen", given->unseen, "also where a call is too large to be shown whole");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, given] {
        context.run = [&context, given] {
            return with_api(context, [&](const api_client& api) { return approve(context, api, *given); });
        };
    });
}

void add_deny(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("deny", "say no to an approval");
    auto id = std::make_shared<std::string>();
    verb->add_option("ID", *id, "as `mcp-reauth approvals` lists it")->required();
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, id] {
        context.run = [&context, id] {
            return with_api(context, [&](const api_client& api) {
                auto answer = api.post("/api/approvals/" + path_segment(*id) + "/deny");
                if (!answer)
                    return context.fail(answer.error());
                if (context.json)
                    context.print_json(*answer);
                else
                    context.io.out << "Denied.\n";
                return exit_done;
            });
        };
    });
}

void add_open(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("open", "print a link that lets one browser into the dashboard, once");
    add_config_options(*verb, context);
    verb->callback([&context] {
        context.run = [&context] {
            return with_api(context, [&](const api_client& api) {
                auto answer = api.post("/api/open");
                if (!answer)
                    return context.fail(answer.error());
                context.io.out << text_of(*answer, "link", 8192) << '\n';
                return exit_done;
            });
        };
    });
}

} // namespace reauth
