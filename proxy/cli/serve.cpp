// serve and demo: the verbs that run servers.
#include "proxy/cli/command.hpp"

#include "proxy/demo/demo.hpp"
#include "proxy/service/runtime.hpp"

#include <memory>

namespace reauth {

void add_serve(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("serve", "run the proxy");
    auto url = std::make_shared<std::string>();
    verb->add_option("URL", *url, "one upstream, without a configuration file");
    add_config_options(*verb, context);
    add_http_option(*verb, context.allow_http);
    add_key_option(*verb, context, "--listen", "listen", "HOST:PORT or unix:/PATH for clients");
    add_key_option(*verb, context, "--approval-listen", "approval.listen", "HOST:PORT of the approval page");
    add_key_option(*verb, context, "--workers", "workers", "threads, or auto");
    add_key_option(*verb, context, "--log-level", "log.level", "trace, debug, info, warn, error or off");
    add_key_option(*verb, context, "--log-format", "log.format", "text or json");
    verb->callback([&context, url] {
        context.run = [&context, url] {
            if (!url->empty() && !context.config_file.empty())
                return context.fail(failure::permanent(fault::invalid_configuration,
                                                       "give either a URL or --config, not both"));
            auto in = context.inputs();
            if (!in)
                return context.fail(in.error());
            std::function<result<config>()> load = [in = *in, url = *url] { return config_for_url(url, in); };
            if (url->empty()) {
                auto first = context.full_config();
                if (!first)
                    return context.fail(first.error());
                load = [in = *in, file = first->file] { return load_config(file, in); };
            }
            auto loaded = load();
            if (!loaded)
                return context.fail(loaded.error());
            context.warn(*loaded);
            serve_options options;
            options.reload = std::move(load);
            return run_server(std::move(*loaded), std::move(options));
        };
    });
}

void add_demo(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("demo", "show the main job on this machine, in half a minute");
    auto options = std::make_shared<demo_options>();
    verb->add_flag("--keep", options->keep, "stay up afterwards, for a real client and a person");
    verb->add_flag("--enterprise", options->enterprise, "two servers behind one identity provider");
    verb->add_option("--port", options->listen_port, "where clients connect");
    verb->add_option("--approval-port", options->approval_port, "where the approval page is");
    add_json_option(*verb, context);
    verb->callback([&context, options] {
        context.run = [&context, options] {
            options->json = context.json;
            return run_demo(*options);
        };
    });
}

} // namespace reauth
