// schema and completion: what the program knows of itself, for editors, shells and man.
#include "conf/schema.hpp"

#include "proxy/cli/command.hpp"
#include "proxy/cli/manual.hpp"

#include <memory>
#include <ostream>

namespace reauth {

void add_schema(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("schema", "print the configuration's JSON Schema, for editors");
    auto markdown = std::make_shared<bool>(false), manual = std::make_shared<bool>(false);
    verb->add_flag("--markdown", *markdown, "as docs/configuration.md");
    verb->add_flag("--man", *manual, "as the man page mcp-reauth.yaml(5)")->excludes("--markdown");
    verb->callback([&context, markdown, manual] {
        context.run = [&context, markdown, manual] {
            context.io.out << (*markdown ? configuration_markdown()
                               : *manual ? configuration_manual()
                                         : configuration_json_schema());
            return exit_done;
        };
    });
}

void add_completion(CLI::App& app, command_context& context) {
    auto* verb =
        app.add_subcommand("completion", "print the script that completes this program's command lines");
    auto shell = std::make_shared<std::string>();
    verb->add_option("SHELL", *shell,
                     "bash, zsh or fish: mcp-reauth completion bash > "
                     "~/.local/share/bash-completion/completions/mcp-reauth")
        ->required();
    add_config_options(*verb, context);
    verb->callback([&app, &context, shell] {
        context.run = [&app, &context, shell] {
            if (*shell == "upstreams") { // what the scripts ask; secrets need not be there
                context.io.inputs.approval_only = true;
                if (const auto c = context.full_config())
                    for (const auto& u : c->upstreams)
                        context.io.out << u.name << '\n';
                return exit_done;
            }
            const auto script = completion_script(app, *shell);
            if (script.empty())
                return context.fail(failure::permanent(fault::invalid_configuration,
                                                       "there are no completions for '" + *shell + "'",
                                                       "bash, zsh or fish"));
            context.io.out << script;
            return exit_done;
        };
    });
}

} // namespace reauth
