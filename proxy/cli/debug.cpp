// debug bundle: one archive for a bug report, with nothing secret in it.
#include "proxy/cli/command.hpp"

#include "core/json/json_fields.hpp"
#include "core/text/time_text.hpp"
#include "proxy/cli/api_client.hpp"
#include "proxy/cli/json_text.hpp"
#include "proxy/evidence/tar_archive.hpp"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <sstream>

namespace reauth {
namespace {

constexpr std::size_t most_timelines = 20;

/// Another verb's output, as it would be printed.
std::string output_of(const command_context& context, std::vector<std::string> words) {
    std::ostringstream out, err;
    if (!context.config_file.empty()) {
        words.emplace_back("--config");
        words.push_back(context.config_file);
    }
    for (const auto& one : context.set) {
        words.emplace_back("--set");
        words.push_back(one);
    }
    std::istringstream nothing;
    const auto code = run_cli(words, {out, err, nothing, context.io.inputs, false});
    return out.str() + err.str() + "(exit code " + std::to_string(code) + ")\n";
}

std::string build_text() {
    utsname system{};
    ::uname(&system);
    std::ostringstream out;
    out << "mcp-reauth " REAUTH_VERSION "\ncompiler: " __VERSION__ "\n"
#ifdef REAUTH_POSTGRES
        << "postgres: yes\n"
#else
        << "postgres: no\n"
#endif
        << "system: " << system.sysname << ' ' << system.release << ' ' << system.machine << '\n';
    return out.str();
}

std::string answer_text(const result<nlohmann::json>& answer) {
    return answer ? answer->dump(2) + "\n" : answer.error().describe() + "\n";
}

/// What the running proxy tells.
void add_running(tar_archive& to, const api_client& api) {
    const auto history = api.get("/api/history?limit=500");
    to.add("history.json", answer_text(history));
    if (history) {
        std::vector<std::string> seen;
        for (const auto& e : array_of(*history, "history")) {
            const auto id = text_of(e, "recovery");
            if (id.empty() || std::find(seen.begin(), seen.end(), id) != seen.end() ||
                seen.size() >= most_timelines)
                continue;
            seen.push_back(id);
            to.add("timelines/" + id + ".json", answer_text(api.get("/api/history/" + path_segment(id))));
        }
    }
    for (const auto* name : {"approvals", "credentials", "rules", "judgements", "audit"})
        to.add(std::string(name) + ".json", answer_text(api.get(std::string("/api/") + name)));
    const auto self = api.get("/api/diagnostics");
    for (const auto* name : {"log", "metrics", "ready"})
        to.add(std::string(name) + ".txt", self ? json_string(*self, name) + "\n" : answer_text(self));
}

result<void> write_file(const std::string& path, const std::string& bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = file >= 0;
    for (std::size_t done = 0; written && done < bytes.size();) {
        const auto n = ::write(file, bytes.data() + done, bytes.size() - done);
        written = n > 0;
        done += written ? static_cast<std::size_t>(n) : 0;
    }
    const auto why = errno;
    if (file >= 0)
        ::close(file);
    if (written)
        return {};
    return failure::permanent(fault::invalid_configuration,
                              path + " can't be written: " + std::generic_category().message(why),
                              "give another place with --output");
}

int bundle(const command_context& context, std::string path) {
    const auto now = wall_clock::now();
    if (path.empty())
        path = "mcp-reauth-debug-" + std::to_string(wall_clock::to_time_t(now)) + ".tar.gz";
    tar_archive archive(now);
    archive.add("about.txt", build_text() + "made: " + rfc3339(now) + "\n");
    archive.add("check.json", output_of(context, {"check", "--json"}));
    const auto c = context.full_config();
    if (c)
        for (const auto& u : c->upstreams)
            archive.add("doctor/" + u.name + ".json", output_of(context, {"doctor", u.name, "--json"}));
    const auto answered = with_api(context, [&](const api_client& api) {
        add_running(archive, api);
        return exit_done;
    });
    if (answered != exit_done)
        archive.add("running.txt", "no running proxy could be asked\n");
    const auto written = write_file(path, archive.compressed());
    if (!written)
        return context.fail(written.error());
    if (context.json)
        context.print_json({{"file", path}, {"members", archive.names()}});
    else
        context.io.out
            << path << ": " << archive.names().size()
            << " files, without secrets. Look through it before you send it: it names your servers.\n";
    return exit_done;
}

} // namespace

void add_debug(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("debug", "for a bug report");
    verb->require_subcommand(1);
    auto* make = verb->add_subcommand(
        "bundle",
        "one archive: version, configuration without secrets, doctor, metrics, timelines, log lines");
    auto path = std::make_shared<std::string>();
    make->add_option("--output", *path, "where it goes (default: mcp-reauth-debug-TIME.tar.gz here)");
    add_config_options(*make, context);
    add_json_option(*make, context);
    make->callback([&context, path] { context.run = [&context, path] { return bundle(context, *path); }; });
}

} // namespace reauth
