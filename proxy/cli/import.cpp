// import mcp-remote: a sign-in that it has made is used here, without another one.
#include "proxy/cli/command.hpp"

#include "conf/regular_file.hpp"
#include "conf/remote_arguments.hpp"
#include "conf/values.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "proxy/cli/import_config.hpp"
#include "proxy/recovery/fetcher_http.hpp"
#include "proxy/recovery/import_login.hpp"
#include "proxy/recovery/upstream_probe.hpp"
#include "proxy/vault/open.hpp"

#include <boost/asio/co_spawn.hpp>

#include <filesystem>
#include <memory>
#include <ostream>

namespace reauth {
namespace {

namespace fs = std::filesystem;

struct import_arguments {
    stdio_target target;
    std::string from, resource;
    std::vector<std::string> headers, authorize_params;
    bool dry_run = false;
};

failure wrong_import(std::string message, std::string fix = {}) {
    return failure::permanent(fault::invalid_configuration, std::move(message), std::move(fix));
}

std::string variable(const config_inputs& in, const std::string& name) {
    const auto found = in.environment.find(name);
    return found == in.environment.end() ? std::string() : found->second;
}

fs::path store_of(const import_arguments& a, const config_inputs& in) {
    if (!a.from.empty())
        return a.from;
    const auto base = variable(in, "MCP_REMOTE_CONFIG_DIR");
    return fs::path(base.empty() ? variable(in, "HOME") + "/.mcp-auth" : base) / "mcp-remote-v1";
}

/// Empty: there is no such file.
secret read_file(const fs::path& path) {
    auto file = read_regular_file(path.string());
    return file ? std::move(*file.text) : secret();
}

std::size_t sign_ins_in(const fs::path& directory) {
    std::size_t n = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory, ignored))
        n += entry.path().filename().string().ends_with("_tokens.json") ? 1 : 0;
    return n;
}

result<mcp_remote_login> find_login(const import_arguments& a, const std::string& url,
                                    const fs::path& store) {
    mcp_remote_arguments key{url, a.resource, {}};
    for (const auto& pair : a.authorize_params)
        key.authorize_params[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
    for (const auto& header : a.headers)
        if (!add_remote_header(key, header))
            return wrong_import("--header '" + clean_text(header, 60) +
                                "' is none: write it as it was given to mcp-remote");
    for (const auto& name : mcp_remote_keys(key)) {
        const auto tokens = read_file(store / (name + "_tokens.json"));
        if (!tokens.empty())
            return read_mcp_remote(tokens, read_file(store / (name + "_client_info.json")),
                                   wall_clock::now());
    }
    std::error_code ignored;
    if (!fs::exists(store, ignored))
        return wrong_import("there is no " + store.string() +
                                ": mcp-remote (0.15 or later) has signed in nowhere",
                            "name the directory with --from, or sign in: mcp-reauth login");
    return wrong_import("mcp-remote keeps no sign-in for " + url + " (in " + store.string() + " there are " +
                            std::to_string(sign_ins_in(store)) + ")",
                        "write the URL as it was given to mcp-remote, with the same --resource and --header");
}

result<imported_login> take_over(const config& c, mcp_remote_login login) {
    const auto& u = c.upstreams.front();
    auto opened = open_vault(c.vault);
    if (!opened)
        return opened.error();
    credential_store store(**opened);
    auto rules = egress_rules::parse(c.egress.allow);
    if (!rules)
        return rules.error();
    asio::io_context io(1);
    http_fetcher network(io.get_executor(), *rules, c.outbound);
    const auto options = options_for(u, u.token_request.value_or(c.limits.token_request));
    result<imported_login> out = failure();
    asio::co_spawn(io, import_login(io.get_executor(), network, store, u, std::move(login), options),
                   [&](std::exception_ptr e, result<imported_login> done) {
                       if (e)
                           std::rethrow_exception(e);
                       out = std::move(done);
                   });
    io.run();
    return out;
}

int run_import(command_context& context, import_arguments a) {
    if (a.target.upstream.empty() && !context.config_file.empty())
        return rewrite_client_file(context, context.config_file, a.dry_run);
    if (a.target.upstream.empty() || a.dry_run)
        return context.fail(wrong_import(a.dry_run
                                             ? "--dry-run goes with --config FILE alone, without an upstream"
                                             : "say what to take over: a URL as mcp-remote was given it, or "
                                               "--config FILE, a client's file "
                                               "whose entries of mcp-remote are to start this program"));
    auto in = context.inputs();
    if (!in)
        return context.fail(in.error());
    a.target.file = context.file_for(a.target.upstream);
    for (const auto& header : a.headers) // they are part of what it is bound to
        if (!iequals(trim_space(std::string_view(header).substr(0, header.find(':'))), "authorization"))
            a.target.headers.push_back(header);
    remote_arguments told;
    if (!a.resource.empty())
        told.resource = a.resource;
    told.authorize_params = a.authorize_params;
    if (const auto applied = apply_remote_arguments(told, a.target, *in); !applied)
        return context.fail(applied.error());
    const auto c = config_for_stdio(a.target, *in);
    if (!c)
        return context.fail(c.error());
    const auto& u = c->upstreams.front();
    if (c->vault.backend == vault_backend::memory)
        return context.fail(
            wrong_import("the vault is memory: what is taken over would be gone with this command"));
    const auto store = store_of(a, *in);
    auto login = find_login(a, names_url(a.target.upstream) ? a.target.upstream : u.url, store);
    if (!login)
        return context.fail(login.error());
    const auto client = login->held.client_id;
    const auto done = take_over(*c, std::move(*login));
    if (!done)
        return context.fail(done.error());
    if (context.json) {
        context.print_json({{"upstream", u.name},
                            {"issuer", done->issuer},
                            {"client_id", client},
                            {"renewable", done->renewable}});
        return exit_done;
    }
    context.io.out
        << "Taken over from " << store.string() << " into the vault, as " << u.name << ": the sign-in at "
        << clean_text(done->issuer)
        << (done->renewable ? ", with the client " + clean_text(client) + " and its refresh token.\n"
                            : ". It can't be renewed (no refresh token, or no client is kept): you "
                              "will be asked to sign in when it expires.\n")
        << "Nothing was changed there. Do not use both for this server: a refresh token can be spent "
           "once.\n";
    return exit_done;
}

} // namespace

void add_import(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("import", "take over what another bridge has signed in to");
    verb->require_subcommand(1);
    auto* remote =
        verb->add_subcommand("mcp-remote", "a sign-in of mcp-remote (0.15): its client and its tokens");
    auto a = std::make_shared<import_arguments>();
    remote->add_option(
        "UPSTREAM", a->target.upstream,
        "the URL as mcp-remote was given it, or an upstream's name; left out with --config FILE of a "
        "client (Claude Desktop, Cursor, VS Code …): its entries of mcp-remote are rewritten");
    remote->add_flag("--dry-run", a->dry_run, "of a client's file: print the difference, change nothing");
    remote->add_option("--from", a->from, "its directory (default: ~/.mcp-auth/mcp-remote-v1)");
    remote->add_option("--resource", a->resource, "as it was given to mcp-remote");
    remote->add_option("--authorize-param", a->authorize_params, "as it was given to mcp-remote")
        ->take_all()
        ->expected(1);
    remote->add_option("--header", a->headers, "as it was given to mcp-remote")->take_all()->expected(1);
    add_config_options(*remote, context);
    add_json_option(*remote, context);
    remote->callback([&context, a] { context.run = [&context, a] { return run_import(context, *a); }; });
}

} // namespace reauth
