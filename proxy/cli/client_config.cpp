// client-config: what to put into an MCP client's configuration.
#include "proxy/cli/command.hpp"

#include "conf/problems.hpp"
#include "conf/values.hpp"
#include "core/text/uri.hpp"

#include <memory>
#include <ostream>

namespace reauth {

namespace {

/// What the entry leads to: a URL of a running proxy, or this program, which the client starts.
enum class entry_kind { url, program, npx };

failure unknown_client(const std::string& client) {
    auto names = known_clients();
    names.emplace_back("url");
    std::string known;
    for (const auto& n : names)
        known += (known.empty() ? "" : ", ") + n;
    return failure::permanent(fault::invalid_configuration,
                              "there is no client '" + client + "'" + did_you_mean(client, names),
                              "known are: " + known);
}

/// The text alone goes to stdout, so that it can be redirected; what a person reads goes to stderr.
int print_entry(const command_context& context, const config& c, const upstream_config& u,
                const std::string& client, entry_kind kind) {
    const auto url = client_url(c, u);
    const bool starts_programs = kind != entry_kind::url || only_starts_programs(client);
    const bool bearer = takes(c.client_auth, caller_proof::bearer) && !starts_programs;
    if (url.starts_with("unix:") && !starts_programs)
        return context.fail(failure::permanent(
            fault::invalid_configuration,
            "the proxy listens on a Unix socket, which MCP clients cannot be given as a URL",
            "set listen: 127.0.0.1:8970"));
    if (client == "url") {
        context.io.out << url << '\n';
        return exit_done;
    }
    client_way way{u.name, url, bearer, {}};
    if (starts_programs)
        way.program = stdio_command(c, u, kind == entry_kind::npx);
    const auto entry = make_client_entry(client, way);
    if (!entry)
        return context.fail(unknown_client(client));
    if (context.json) {
        context.print_json({{"client", entry->client},
                            {"url", url},
                            {"file", entry->file},
                            {"text", entry->text},
                            {"command", entry->command},
                            {"note", entry->note}});
        return exit_done;
    }
    if (!entry->command.empty())
        context.io.err << "In a terminal:\n  " << entry->command << "\nor into " << entry->file << ":\n";
    else
        context.io.err << "Into " << entry->file << ":\n";
    context.io.out << entry->text << (entry->text.ends_with('\n') ? "" : "\n");
    if (!entry->note.empty())
        context.io.err << entry->note << '\n';
    if (bearer)
        context.io.err << "MCP_REAUTH_BEARER is the client_auth bearer of the proxy's configuration.\n";
    return exit_done;
}

} // namespace

void add_client_config(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("client-config", "print what to put into an MCP client's configuration");
    auto name = std::make_shared<std::string>();
    auto client = std::make_shared<std::string>();
    std::string known;
    for (const auto& n : known_clients())
        known += n + ", ";
    verb->add_option(
        "NAME", *name,
        "the upstream; may be left out where there is one. Or a server's URL: the client starts this "
        "program, and nothing else has to run");
    verb->add_option("--for", *client, known + "or url")->required();
    auto program = std::make_shared<bool>(false), npx = std::make_shared<bool>(false);
    verb->add_flag("--stdio", *program, "the client starts this program");
    verb->add_flag("--npx", *npx, "… as `npx -y mcp-reauth`");
    add_http_option(*verb, context.allow_http);
    add_config_options(*verb, context);
    add_json_option(*verb, context);
    verb->callback([&context, name, client, program, npx] {
        context.run = [&context, name, client, program, npx] {
            const auto kind = *npx ? entry_kind::npx : *program ? entry_kind::program : entry_kind::url;
            if (const auto url = parse_http_url(*name); url && *client != "url") {
                auto in = context.inputs();
                if (!in)
                    return context.fail(in.error());
                auto alone = config_for_url(*name, *in);
                if (!alone)
                    return context.fail(alone.error());
                alone->upstreams.front().name = name_for_url(*url);
                return print_entry(context, *alone, alone->upstreams.front(), *client,
                                   *npx ? entry_kind::npx : entry_kind::program);
            }
            auto c = context.client_config();
            if (!c)
                return context.fail(c.error());
            if (name->empty() && c->upstreams.size() == 1)
                *name = c->upstreams.front().name;
            auto u = find_upstream(*c, *name);
            return u ? print_entry(context, *c, *u, *client, kind) : context.fail(u.error());
        };
    });
}

} // namespace reauth
