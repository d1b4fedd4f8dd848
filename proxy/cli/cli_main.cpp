// Puts the verbs together and turns what was typed into one run.
#include "proxy/cli/command.hpp"

#include "conf/problems.hpp"
#include "core/text/display_text.hpp"
#include "proxy/cli/manual.hpp"
#include "proxy/cli/printed.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

namespace reauth {

namespace {

/// `help`, `help VERB`, `version`, and words that are no verb: as people type them.
std::optional<int> answer_first_word(CLI::App& app, const std::vector<std::string>& arguments, cli_io& io) {
    if (arguments.empty()) {
        io.err << app.help();
        return exit_usage;
    }
    const auto& word = arguments.front();
    if (word.starts_with('-'))
        return std::nullopt;
    std::vector<std::string> verbs{"help", "version"};
    for (const auto* verb : app.get_subcommands({}))
        verbs.push_back(verb->get_name());
    const auto known = [&](const std::string& name) {
        return std::find(verbs.begin() + 2, verbs.end(), name) != verbs.end();
    };
    if (word == "version") {
        io.out << "mcp-reauth " REAUTH_VERSION "\n";
        return exit_done;
    }
    if (word == "help" && arguments.size() == 2 && arguments[1] == "--man") {
        io.out << program_manual(app);
        return exit_done;
    }
    if (word == "help" && (arguments.size() == 1 || known(arguments[1]))) {
        io.out << (arguments.size() == 1 ? app.help() : app.get_subcommand(arguments[1])->help());
        return exit_done;
    }
    const auto& meant = word == "help" ? arguments[1] : word;
    if (known(meant))
        return std::nullopt;
    io.err << "There is no command '" << clean_text(meant, 60) << "'" << did_you_mean(meant, verbs) << ".\n"
           << "`mcp-reauth help` lists them.\n";
    return exit_usage;
}

/// `npx [-y] mcp-remote[@VERSION] …` with the command alone replaced means our stdio.
std::vector<std::string> as_stdio(std::vector<std::string> arguments) {
    auto first = arguments.begin();
    while (first != arguments.end() &&
           (*first == "-y" || *first == "--yes" || *first == "-q" || *first == "--quiet"))
        ++first;
    if (first == arguments.end() || (*first != "mcp-remote" && !first->starts_with("mcp-remote@")))
        return arguments;
    *first = "stdio";
    arguments.erase(arguments.begin(), first);
    return arguments;
}

} // namespace

int run_cli(const std::vector<std::string>& typed, cli_io streams) {
    const auto arguments = as_stdio(typed);
    visible_stream out(streams.out), err(streams.err);
    cli_io io{out, err, streams.in, std::move(streams.inputs), streams.input_is_terminal};
    command_context context(io);
    CLI::App app(
        "mcp-reauth lets any MCP client use any protected MCP server: it attaches credentials, recovers\n"
        "from 401 and 403 by policy, and asks a person only when a person must decide.",
        "mcp-reauth");
    app.set_version_flag("--version", "mcp-reauth " REAUTH_VERSION);
    app.require_subcommand(1);
    app.footer("Exit codes: 0 done, 1 failed, 2 usage or configuration.");
    for (auto* add :
         {add_serve,     add_stdio,   add_check,         add_explain, add_login,  add_logout,     add_status,
          add_approvals, add_approve, add_deny,          add_open,    add_rules,  add_history,    add_audit,
          add_debug,     add_doctor,  add_client_config, add_import,  add_schema, add_completion, add_demo})
        add(app, context);
    if (const auto done = answer_first_word(app, arguments, io))
        return *done;
    auto reversed = arguments; // CLI11 takes them from the back
    std::reverse(reversed.begin(), reversed.end());
    try {
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& e) {
        return app.exit(e, io.out, io.err) == 0 ? exit_done : exit_usage;
    }
    try {
        return context.run ? context.run() : exit_usage;
    } catch (const std::exception& e) {
        io.err << "mcp-reauth: " << e.what() << '\n';
        return exit_failed;
    }
}

namespace {

/// A descriptor that is closed would be given to the next file that is opened: the vault, say, would get what
/// is printed.
void open_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0) [[maybe_unused]]
            const int filled = ::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
}

} // namespace

int cli_main(int argc, char** argv) {
    open_standard_streams();
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    return run_cli(arguments,
                   {std::cout, std::cerr, std::cin, process_inputs(), ::isatty(STDIN_FILENO) == 1});
}

} // namespace reauth
