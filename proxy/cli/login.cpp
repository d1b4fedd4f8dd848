// login, logout, status: credentials as a person sees them.
#include "proxy/cli/command.hpp"

#include "core/text/ascii.hpp"
#include "core/text/time_text.hpp"
#include "proxy/cli/api_client.hpp"
#include "proxy/cli/json_text.hpp"
#include "proxy/cli/table.hpp"

#include <istream>
#include <memory>
#include <ostream>
#include <thread>

#include <poll.h>
#include <unistd.h>

namespace reauth {

namespace {

struct login_arguments {
    std::string upstream, principal = "local", paste, idp;
    bool device = false, all = false;
};

/// A finished login, told.
int finished(const command_context& context, const std::string& upstream, const std::string& status,
             const std::string& outcome) {
    const bool ok = status == "approved";
    if (context.json)
        context.print_json({{"upstream", upstream}, {"status", status}, {"outcome", outcome}});
    else
        (ok ? context.io.out : context.io.err)
            << (ok ? "Logged in to " + upstream + "."
                   : "The login to " + upstream + " ended: " + status + ".")
            << (outcome.empty() ? "" : " " + outcome) << '\n';
    return ok ? exit_done : exit_failed;
}

/// Hands a pasted callback URL to the proxy. Nothing: it was refused, and said why.
bool hand_over(const command_context& context, const api_client& api, std::string_view pasted) {
    auto answer = api.post("/api/callback", {{"url", std::string(trim_space(pasted))}});
    if (!answer) {
        context.fail(answer.error());
        return false;
    }
    if (!flag_of(*answer, "ok"))
        context.io.err << text_of(*answer, "title") << ": " << text_of(*answer, "detail", 600) << '\n';
    return flag_of(*answer, "ok");
}

/// Waits up to half a second for a line on the terminal.
std::string pasted_line() {
    pollfd in{STDIN_FILENO, POLLIN, 0};
    if (::poll(&in, 1, 500) <= 0)
        return {};
    std::string line(8192, '\0');
    const auto n = ::read(STDIN_FILENO, line.data(), line.size());
    line.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    if (n <= 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return line;
}

int wait_for_login(const command_context& context, const api_client& api, const login_arguments& a,
                   const std::string& id) {
    for (;;) {
        auto now = api.get("/api/approvals/" + path_segment(id));
        if (!now)
            return context.fail(now.error());
        const auto status = text_of(*now, "status");
        if (status != "pending" && status != "authorizing")
            return finished(context, a.upstream, status, text_of(*now, "outcome"));
        if (context.io.input_is_terminal) {
            const auto line = pasted_line();
            if (!trim_space(line).empty())
                hand_over(context, api, line);
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
        }
    }
}

/// The address alone is on stdout, as with a browser's login; the code is for a person.
void print_device(const command_context& context, const nlohmann::json& answer) {
    const auto& device = answer["device"];
    context.io.err << "On any device, open " << text_of(device, "verification_uri", 400)
                   << "\nand enter the code   " << text_of(device, "user_code")
                   << "\n\nOr open this, which has the code in it:\n";
    (context.json ? context.io.err : context.io.out) << text_of(answer, "location", 8192) << std::endl;
}

int login(const command_context& context, const api_client& api, const login_arguments& a) {
    if (!a.paste.empty()) {
        std::string url = a.paste;
        if (url == "-")
            std::getline(context.io.in, url);
        return hand_over(context, api, url) ? finished(context, a.upstream, "approved", "") : exit_failed;
    }
    auto opened = api.post("/api/login", {{"upstream", a.upstream}, {"principal", a.principal}});
    if (!opened)
        return context.fail(opened.error());
    const auto id = text_of(*opened, "id");
    const auto body = a.device ? nlohmann::json{{"method", "device"}} : nlohmann::json::object();
    auto answer = api.post("/api/approvals/" + path_segment(id) + "/approve", body);
    if (!answer)
        return context.fail(answer.error());
    if (answer->contains("device")) {
        print_device(context, *answer);
        return wait_for_login(context, api, a, id);
    }
    if (const auto location = text_of(*answer, "location", 8192); !location.empty()) {
        // stdout holds the URL alone (with --json: the result alone), so that a script can take it
        context.io.err << "Open this to log in to " << a.upstream << ":\n";
        (context.json ? context.io.err : context.io.out) << location << std::endl;
        if (context.io.input_is_terminal)
            context.io.err
                << "Waiting. If the browser is on another machine and cannot reach the last page, paste "
                   "that page's address here.\n";
    }
    return wait_for_login(context, api, a, id);
}

std::string state_of(const nlohmann::json& c) {
    if (!flag_of(c, "held"))
        return "nothing held";
    if (c.contains("saved") && !flag_of(c, "saved"))
        return "valid, NOT STORED";
    const auto expiry = parse_rfc3339(text_of(c, "expires_at"));
    const bool expired = expiry && *expiry <= std::chrono::system_clock::now();
    if (expired)
        return flag_of(c, "renewable") ? "expired, renewable" : "expired";
    if (flag_of(c, "renewable"))
        return "valid, renewable";
    return expiry ? "valid, can't be renewed" : "valid";
}

/// The organisation's sign-ins; nothing where there are none.
void print_sessions(const command_context& context, const nlohmann::json& sessions) {
    if (sessions.empty())
        return;
    std::vector<std::vector<std::string>> rows{
        {"IDENTITY PROVIDER", "PRINCIPAL", "SUBJECT", "ISSUER", "ID TOKEN EXPIRES", "RENEWAL"}};
    for (const auto& s : sessions)
        rows.push_back({text_of(s, "identity_provider"), text_of(s, "principal"), text_of(s, "subject"),
                        text_of(s, "issuer"), time_of(s, "expires_at"),
                        flag_of(s, "supplied")    ? "supplied from outside"
                        : flag_of(s, "renewable") ? "silent"
                                                  : "needs a login"});
    context.io.out << '\n' << format_table(rows);
}

int print_status(const command_context& context, const nlohmann::json& credentials,
                 const nlohmann::json& sessions, const nlohmann::json& waiting) {
    if (context.json) {
        context.print_json(
            {{"credentials", credentials}, {"idp_sessions", sessions}, {"waiting", waiting.size()}});
        return exit_done;
    }
    std::vector<std::vector<std::string>> rows{
        {"UPSTREAM", "PRINCIPAL", "ACCOUNT", "GRANT", "STATE", "EXPIRES", "SCOPES", "LAST RECOVERY"}};
    std::string troubles;
    for (const auto& c : credentials) {
        const auto scopes = joined(c, "scopes");
        const auto last = text_of(c, "last_recovery");
        const auto outcome = text_of(c, "last_outcome");
        rows.push_back({text_of(c, "upstream"), text_of(c, "principal"),
                        text_of(c, "account").empty() ? "-" : text_of(c, "account"), text_of(c, "grant"),
                        state_of(c), time_of(c, "expires_at"), scopes.empty() ? "-" : scopes,
                        last.empty() ? "-" : last + " " + outcome + " " + time_of(c, "last_recovery_at")});
        if (!outcome.empty() && outcome != "ok")
            troubles +=
                text_of(c, "upstream") + ": " + outcome + ": " + text_of(c, "last_outcome_detail") + "\n";
    }
    if (rows.size() == 1)
        context.io.out << "No credential is held yet.\n";
    else
        context.io.out << format_table(rows);
    print_sessions(context, sessions);
    if (!troubles.empty())
        context.io.out << '\n' << troubles;
    if (!waiting.empty())
        context.io.out << '\n'
                       << waiting.size() << (waiting.size() == 1 ? " question waits" : " questions wait")
                       << " for a person: mcp-reauth approvals\n";
    return exit_done;
}

std::shared_ptr<login_arguments> upstream_options(CLI::App& verb, command_context& context,
                                                  bool required = true) {
    auto a = std::make_shared<login_arguments>();
    verb.add_option("UPSTREAM", a->upstream, "its name in the configuration")->required(required);
    verb.add_option("--principal", a->principal, "on whose behalf (default: local)");
    add_config_options(verb, context);
    add_json_option(verb, context);
    return a;
}

} // namespace

void add_login(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("login", "log in to an upstream now, before a request needs it");
    auto a = upstream_options(*verb, context);
    verb->add_option(
        "--paste", a->paste,
        "finish a login: the address of the last page, where the browser could not reach it (- reads it "
        "from standard input)");
    verb->add_flag("--device", a->device,
                   "sign in on any device with a code (RFC 8628), where no browser reaches this machine");
    verb->callback([&context, a] {
        context.run = [&context, a] {
            return with_api(context, [&](const api_client& api) { return login(context, api, *a); });
        };
    });
}

namespace {

/// What was revoked, and what lives on.
std::string told(const nlohmann::json& answer) {
    const auto said = text_of(answer, "message");
    return said.empty() ? said : " " + said;
}

} // namespace

void add_logout(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("logout", "revoke and forget what is held for an upstream");
    auto a = upstream_options(*verb, context, false);
    verb->add_option("--idp", a->idp,
                     "sign out of this identity provider instead: its session and every credential minted "
                     "from it are dropped");
    verb->add_flag(
        "--all", a->all,
        "sign out of everything, at every upstream and identity provider; with --principal: its identity "
        "ends: "
        "requests that are held get identity_ended, streams are cut, tokens of before are refused");
    const auto* whose = verb->get_option("--principal");
    verb->callback([&context, a, whose] {
        const int places = static_cast<int>(!a->upstream.empty()) + static_cast<int>(!a->idp.empty()) +
                           static_cast<int>(a->all);
        // of a principal that is named: the whole identity
        const bool named = whose->count() > 0;
        if (places > 1 || (places == 0 && !named))
            throw CLI::ValidationError(
                "logout",
                "name either an UPSTREAM, --idp NAME, --all, or with --principal alone a whole identity");
        const bool ends = named && a->upstream.empty() && a->idp.empty();
        context.run = [&context, a, ends, named] {
            return with_api(context, [&](const api_client& api) {
                nlohmann::json wanted = nlohmann::json::object();
                if (named)
                    wanted["principal"] = a->principal;
                if (a->all)
                    wanted["all"] = true;
                else if (!ends)
                    wanted[a->idp.empty() ? "upstream" : "idp"] = a->idp.empty() ? a->upstream : a->idp;
                auto answer = api.post("/api/logout", wanted);
                if (!answer)
                    return context.fail(answer.error());
                if (context.json)
                    context.print_json(*answer);
                else if (ends)
                    context.io.out << "The identity " << a->principal << " has ended here." << told(*answer)
                                   << "\n";
                else
                    context.io.out << "Logged out of "
                                   << (a->all           ? "everything"
                                       : a->idp.empty() ? a->upstream
                                                        : a->idp)
                                   << "." << told(*answer) << "\n";
                return exit_done;
            });
        };
    });
}

void add_status(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("status", "what is held, until when, and what went wrong last");
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context] {
        context.run = [&context] {
            return with_api(context, [&](const api_client& api) {
                auto held = api.get("/api/credentials");
                if (!held)
                    return context.fail(held.error());
                auto waiting = api.get("/api/approvals");
                if (!waiting)
                    return context.fail(waiting.error());
                return print_status(context, array_of(*held, "credentials"), array_of(*held, "idp_sessions"),
                                    array_of(*waiting, "approvals"));
            });
        };
    });
}

} // namespace reauth
