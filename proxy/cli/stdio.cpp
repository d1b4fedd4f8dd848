// stdio: the proxy for a client that starts a program and talks to its standard input and output.
#include "proxy/cli/command.hpp"

#include "conf/stdio_config.hpp"
#include "proxy/stdio/run.hpp"

#include <memory>

namespace reauth {

void add_stdio(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("stdio", "serve one upstream on standard input and output");
    auto target = std::make_shared<stdio_target>();
    auto options = std::make_shared<stdio_options>();
    verb->add_option("UPSTREAM", target->upstream,
                     "its URL, or its name in the configuration file (a URL needs no file)")
        ->required();
    verb->add_option("--header", target->headers,
                     "'Name: value', sent to the upstream; ${VARIABLE} is taken from the environment")
        ->take_all()
        ->expected(1);
    add_config_options(*verb, context);
    add_key_option(*verb, context, "--log-level", "log.level", "trace, debug, info, warn, error or off");
    verb->add_flag("--page-only", options->page_only,
                   "serve no client, only the approval page, until what waits is decided");
    verb->callback([&context, target, options] {
        context.run = [&context, target, options] {
            auto in = context.inputs();
            if (!in)
                return context.fail(in.error());
            target->file = context.file_for(target->upstream);
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
