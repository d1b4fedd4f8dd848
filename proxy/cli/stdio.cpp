// stdio: the proxy for a client that starts a program and talks to its standard input and output.
#include "proxy/cli/command.hpp"

#include "conf/remote_arguments.hpp"
#include "proxy/stdio/run.hpp"

#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <tuple>

namespace reauth {

namespace {

/// As CLI11 hands a value over.
CLI::Option* add_text(CLI::App& verb, const char* name, std::optional<std::string>& to, const char* help) {
    return verb.add_option(name, to, help)->group("mcp-remote's")->expected(1);
}

const std::map<std::string, transport_order> orders{{"http-first", transport_order::http_first},
                                                    {"sse-first", transport_order::sse_first},
                                                    {"http-only", transport_order::http_only},
                                                    {"sse-only", transport_order::sse_only}};

/// Everything that `npx mcp-remote` understands (0.15), so that its lines work here.
void add_remote_options(CLI::App& verb, remote_arguments& r, stdio_options& options) {
    const auto theirs = "mcp-remote's";
    verb.add_option("PORT", r.port, "of the callback, where a client is registered with it")->group(theirs);
    add_text(verb, "--host", r.host, "… and its host name (localhost)");
    add_text(verb, "--callback-path", r.callback_path, "… and its path (/oauth/callback)");
    add_text(verb, "--resource", r.resource, "sent as `resource` (RFC 8707), and a sign-in of its own");
    verb.add_flag("--disable-resource-parameter", r.no_resource, "no `resource` is sent")->group(theirs);
    verb.add_option("--header-file", r.header_files, "a file with a 'Name: value' in each line")
        ->group(theirs)
        ->take_all()
        ->expected(1);
    verb.add_option("--authorize-param", r.authorize_params, "name=value, added to the authorization request")
        ->group(theirs)
        ->take_all()
        ->expected(1);
    add_text(verb, "--static-oauth-client-info", r.client_info,
             R"('{"client_id": …, "client_secret": "${NAME}"}', or @FILE)");
    verb.add_option("--issuer", r.issuer, "the authorization server that may get that client's secret");
    add_text(verb, "--static-oauth-client-metadata", r.client_metadata, R"('{"scope": …}', or @FILE)");
    add_text(verb, "--client-metadata-url", r.client_metadata_url, "where our client metadata document is");
    verb.add_flag("--client-credentials", r.client_credentials, "sign in as the client itself")
        ->group(theirs);
    add_text(verb, "--token-endpoint", r.token_endpoint, "… there, without discovery");
    verb.add_flag("--device-code", r.device_code, "sign in on another device (RFC 8628)")->group(theirs);
    verb.add_flag("--use-id-token", r.id_token, "send the ID token")->group(theirs);
    add_http_option(verb, r.allow_http);
    verb.add_option("--ignore-tool", options.bridging.ignored_tools,
                    "a tool, or pattern with *, to be hidden")
        ->take_all()
        ->expected(1);
    verb.add_option_function<std::string>(
            "--transport",
            [&options](const std::string& word) { options.bridging.transport = orders.at(word); },
            "which of the two is tried first, or alone")
        ->check(CLI::IsMember(orders))
        ->type_name("http-first|sse-first|http-only|sse-only")
        ->group(theirs);
    add_text(verb, "--protocol", r.protocol, "legacy, or auto: `era: bridge`")
        ->check(CLI::IsMember({"legacy", "auto"}));
    verb.add_flag("--ipv4", r.ipv4, "connect to IPv4 addresses")->group(theirs);
    add_text(verb, "--connect-timeout", r.connect_timeout, "seconds");
    add_text(verb, "--headers-timeout", r.headers_timeout, "seconds; 0: none");
    verb.add_flag("--disable-cookies", r.no_cookies, "keep none of the server's cookies")->group(theirs);
    verb.add_flag("--debug", r.debug, "log level debug")->group(theirs);
    verb.add_flag("--silent", r.silent, "log nothing")->group(theirs);
    const std::tuple<const char*, bool, const char*> others[] = {
        {"--auth-timeout", true, "a sign-in may take as long as approval.lifetime says"},
        {"--auth-success-url", true, "the page says itself that you may close it"},
        {"--body-timeout", true, "a stream of the server may be silent for ever"},
        {"--keep-alive", false, "a stream or session that the server has closed is begun again"},
        {"--ping-interval", true, "a stream or session that the server has closed is begun again"},
        {"--enable-proxy", false, "HTTPS_PROXY and NO_PROXY always count"},
    };
    for (const auto& [name, valued, why] : others) {
        const auto note = [&r, name = std::string(name), why = std::string(why)] {
            r.without_meaning.emplace_back(name, why);
        };
        if (valued)
            verb.add_option_function<std::string>(
                    name, [note](const std::string&) { note(); }, "has no meaning here")
                ->group(theirs);
        else
            verb.add_flag_callback(name, note, "has no meaning here")->group(theirs);
    }
}

} // namespace

void add_stdio(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("stdio", "serve one upstream on standard input and output");
    auto target = std::make_shared<stdio_target>();
    auto options = std::make_shared<stdio_options>();
    auto remote = std::make_shared<remote_arguments>();
    verb->add_option("UPSTREAM", target->upstream,
                     "its URL, or its name in the configuration file (a URL needs no file)")
        ->required();
    verb->add_option("--header", target->headers,
                     "'Name: value', sent to the upstream; ${VARIABLE} is taken from the environment")
        ->take_all()
        ->expected(1);
    verb->add_option("--account", target->account,
                     "one of the upstream's accounts; of a URL: any name, a sign-in of its own");
    add_remote_options(*verb, *remote, *options);
    add_config_options(*verb, context);
    add_key_option(*verb, context, "--log-level", "log.level", "trace, debug, info, warn, error or off");
    verb->add_flag("--page-only", options->page_only,
                   "serve no client, only the approval page, until what waits is decided");
    verb->callback([&context, target, options, remote] {
        context.run = [&context, target, options, remote] {
            auto in = context.inputs();
            if (!in)
                return context.fail(in.error());
            target->file = context.file_for(target->upstream);
            const auto notes = apply_remote_arguments(*remote, *target, *in);
            if (!notes)
                return context.fail(notes.error());
            for (const auto& note : remote->silent && !remote->debug ? std::vector<std::string>() : *notes)
                context.io.err << "note: " << note << '\n';
            auto loaded = config_for_stdio(*target, std::move(*in));
            if (!loaded)
                return context.fail(loaded.error());
            context.warn(*loaded);
            loaded->warnings.clear();
            return run_stdio(std::move(*loaded), *options);
        };
    });
}

} // namespace reauth
