// Verbs that need no running program.
#include "conf/client_entry.hpp"
#include "core/text/time_text.hpp"
#include "proxy/cli/cli.hpp"
#include "proxy/cli/json_text.hpp"
#include "proxy/cli/table.hpp"
#include "proxy/service/running_file.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

using namespace reauth;
using reauth::test::has;
using namespace std::chrono_literals;

namespace {

struct cli_directory {
    cli_directory() {
        auto pattern = (std::filesystem::temp_directory_path() / "reauth-cli-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~cli_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path + "/" + name) << text;
        return path + "/" + name;
    }
    std::string path;
};

struct cli_outcome {
    int code;
    std::string out, err;
};

cli_outcome run(const std::vector<std::string>& arguments,
                std::map<std::string, std::string> environment = {}) {
    std::ostringstream out, err;
    std::istringstream in;
    environment.emplace("HOME", "/nonexistent");
    const int code = run_cli(arguments, {out, err, in, {{}, std::move(environment), false}, false});
    return {code, out.str(), err.str()};
}

constexpr auto sample =
    "upstreams:\n"
    "  notes: {url: 'https://notes.example/mcp'}\n"
    "  machine: {url: 'https://m.example', grant: client_credentials, client: {id: x, secret: "
    "{env: S}, issuer: https://as.example}}\n"
    "policy:\n"
    "  - {name: no admin, match: {scopes: [\"admin:*\"]}, action: deny}\n";

} // namespace

TEST_CASE("usage errors end with 2, help and version with 0") {
    CHECK(run({}).code == 2);
    CHECK(run({"nonsense"}).code == 2);
    CHECK(run({"approve"}).code == 2);
    CHECK(run({"check", "--nonsense"}).code == 2);
    CHECK(run({"--help"}).code == 0);
    const auto version = run({"--version"});
    CHECK(version.code == 0);
    CHECK(has(version.out, "mcp-reauth " REAUTH_VERSION));
    for (const auto* verb : {"serve", "check", "explain", "login", "logout", "status", "approvals", "approve",
                             "deny", "open", "rules", "history", "doctor", "client-config", "demo"}) {
        const auto help = run({verb, "--help"});
        CHECK(help.code == 0);
        CHECK(has(help.out, "--help"));
    }
}

TEST_CASE("help, version and mistyped commands are understood as people type them") {
    CHECK(run({"help"}).code == 0);
    CHECK(has(run({"help"}).out, "serve"));
    CHECK(has(run({"help", "serve"}).out, "--approval-listen"));
    CHECK(has(run({"version"}).out, "mcp-reauth " REAUTH_VERSION));
    const auto typo = run({"serv"});
    CHECK(typo.code == 2);
    CHECK(has(typo.err, "There is no command 'serv' (did you mean 'serve'?)"));
    CHECK(has(run({"help", "statsu"}).err, "did you mean 'status'?"));
    CHECK(has(run({}).err, "serve"));
}

TEST_CASE("check prints what the configuration comes to") {
    cli_directory dir;
    const auto file = dir.write("c.yaml", sample);
    const auto good = run({"check", "--config", file}, {{"S", "the-secret"}});
    CHECK(good.code == 0);
    CHECK(has(good.out, "http://127.0.0.1:8970/notes"));
    CHECK(has(good.out, "no admin"));
    CHECK(has(good.out, "built in"));
    CHECK_FALSE(has(good.out + good.err, "the-secret"));
    const auto json = run({"check", "--config", file, "--json"}, {{"S", "the-secret"}});
    CHECK(json.code == 0);
    const auto parsed = nlohmann::json::parse(json.out);
    CHECK(parsed["valid"] == true);
    CHECK(parsed["upstreams"].size() == 2);
    CHECK(parsed["policy"][0]["where"] == file + ":5");
    CHECK_FALSE(has(json.out, "the-secret"));
}

TEST_CASE("check with a wrong configuration ends with 2 and names every place") {
    cli_directory dir;
    const auto file = dir.write("c.yaml", "listn: 1\nlog: {level: loud}\n");
    const auto text = run({"check", "-c", file});
    CHECK(text.code == 2);
    CHECK(has(text.err, file + ":1:1: unknown key 'listn'"));
    CHECK(has(text.err, ":2:14: log.level"));
    const auto json = run({"check", "-c", file, "--json"});
    CHECK(json.code == 2);
    CHECK(nlohmann::json::parse(json.out)["errors"].size() == 3);
    CHECK(run({"check", "-c", dir.path + "/absent.yaml"}).code == 2);
    CHECK(run({"check", "-c", file, "--set", "nonsense"}).code == 2);
}

TEST_CASE("client-config prints an entry for each client") {
    cli_directory dir;
    const auto file = dir.write("c.yaml", sample);
    for (const auto* client : {"claude", "cursor", "vscode", "windsurf", "gemini", "zed", "opencode", "codex",
                               "url", "claude-code", "inspector", "mcporter"}) {
        const auto r = run({"client-config", "notes", "--for", client, "-c", file});
        CHECK(r.code == 0);
        CHECK(has(r.out, "http://127.0.0.1:8970/notes"));
    }
    auto desktop =
        nlohmann::json::parse(run({"client-config", "notes", "--for", "claude-desktop", "-c", file}).out);
    CHECK(desktop["mcpServers"]["notes"]["args"] == nlohmann::json{"stdio", "notes", "--config", file});
    CHECK(desktop["mcpServers"]["notes"]["command"].get<std::string>().starts_with("/"));
    desktop = nlohmann::json::parse(
        run({"client-config", "https://mcp.example.com/mcp", "--for", "claude-desktop"}).out);
    CHECK(desktop["mcpServers"]["example"]["args"] == nlohmann::json{"stdio", "https://mcp.example.com/mcp"});
    const auto wrong = run({"client-config", "note", "--for", "claude", "-c", file});
    CHECK(wrong.code == 2);
    CHECK(has(wrong.err, "did you mean 'notes'?"));
    CHECK(run({"client-config", "notes", "--for", "cluade", "-c", file}).code == 2);
    const auto guarded = dir.write("g.yaml", std::string(sample) + "client_auth: {bearer: {env: B}}\n");
    const auto r =
        run({"client-config", "notes", "--for", "claude", "-c", guarded}, {{"B", "0123456789abcdef"}});
    CHECK(has(r.out, "Bearer ${MCP_REAUTH_BEARER}"));
    CHECK_FALSE(has(r.out, "0123456789abcdef"));
}

TEST_CASE(
    "for a server's URL every client gets an entry that starts this program, by npx where that is wanted") {
    const auto entry = [](const std::string& client) {
        return run({"client-config", "https://mcp.example.com/mcp", "--for", client, "--npx"}).out;
    };
    const nlohmann::json args{"-y", "mcp-reauth", "stdio", "https://mcp.example.com/mcp"};
    for (const auto* client :
         {"claude-code", "claude-desktop", "cursor", "gemini", "inspector", "mcporter", "windsurf"})
        CHECK(nlohmann::json::parse(entry(client))["mcpServers"]["example"] ==
              nlohmann::json({{"command", "npx"}, {"args", args}}));
    CHECK(nlohmann::json::parse(entry("vscode"))["servers"]["example"] ==
          nlohmann::json({{"command", "npx"}, {"args", args}, {"type", "stdio"}}));
    CHECK(nlohmann::json::parse(entry("zed"))["context_servers"]["example"]["args"] == args);
    CHECK(nlohmann::json::parse(entry("opencode"))["mcp"]["example"]["command"][0] == "npx");
    CHECK(has(entry("codex"),
              "[mcp_servers.example]\ncommand = \"npx\"\nargs = [\"-y\",\"mcp-reauth\",\"stdio\","));
    const auto own = run({"client-config", "https://mcp.example.com/mcp", "--for", "cursor"});
    CHECK(nlohmann::json::parse(own.out)["mcpServers"]["example"]["args"][0] == "stdio");
    cli_directory dir;
    const auto named =
        run({"client-config", "notes", "--for", "cursor", "--stdio", "-c", dir.write("c.yaml", sample)});
    CHECK(nlohmann::json::parse(named.out)["mcpServers"]["notes"]["args"][1] == "notes");
}

TEST_CASE("a client that takes no URL has an entry even where no program was named") {
    const auto entry =
        make_client_entry("claude-desktop", {"notes", "http://127.0.0.1:8970/notes", false, {}});
    REQUIRE(entry);
    CHECK(nlohmann::json::parse(entry->text)["mcpServers"]["notes"]["command"] == "mcp-reauth");
    CHECK(only_starts_programs("claude-desktop"));
    CHECK_FALSE(only_starts_programs("cursor"));
}

TEST_CASE("the man page and the completions name every verb") {
    const auto page = run({"help", "--man"});
    CHECK(page.code == 0);
    const auto bash = run({"completion", "bash"}), zsh = run({"completion", "zsh"}),
               fish = run({"completion", "fish"});
    for (const auto* verb :
         {"serve", "stdio", "check", "explain", "login", "approve", "schema", "completion", "import"}) {
        CHECK(has(page.out, std::string("mcp\\-reauth ") + verb));
        CHECK(has(bash.out, std::string("    ") + verb + ") "));
        CHECK(has(zsh.out, std::string("    ") + verb + ")\n"));
        CHECK(has(fish.out, std::string(" -a ") + verb + " "));
    }
    CHECK(has(bash.out, "'client-config --for'"));
    const auto other = run({"completion", "tcsh"});
    CHECK(other.code == 2);
    CHECK(has(other.err, "zsh or fish"));
    cli_directory dir;
    CHECK(run({"completion", "upstreams", "-c", dir.write("c.yaml", sample)}).out == "notes\nmachine\n");
    CHECK(run({"completion", "upstreams", "-c", dir.path + "/none.yaml"}).out.empty());
}

TEST_CASE("explain says which rule decides and what the client sees") {
    cli_directory dir;
    const auto file = dir.write("c.yaml", sample);
    const auto ask = [&](std::vector<std::string> more) {
        std::vector<std::string> all{"explain"};
        all.insert(all.end(), more.begin(), more.end());
        all.insert(all.end(), {"-c", file});
        return run(all, {{"S", "x"}});
    };
    const auto denied =
        ask({"notes", "--status", "403", "--www-authenticate",
             "Bearer error=\"insufficient_scope\", scope=\"admin:write\"", "--granted", "read"});
    CHECK(denied.code == 0);
    CHECK(has(denied.out, "'no admin' (" + file + ":5): deny"));
    CHECK(has(denied.out, "denied_by_policy"));
    const auto json = ask({"machine", "--status", "403", "--www-authenticate",
                           "Bearer error=\"insufficient_scope\", scope=\"b\"", "--granted", "a", "--json"});
    const auto parsed = nlohmann::json::parse(json.out);
    CHECK(parsed["action"] == "silent");
    CHECK(parsed["scopes"]["added"] == nlohmann::json::array({"b"}));
    CHECK(parsed["scopes"]["requested"].size() == 2);
    CHECK(has(ask({"notes", "--status", "403", "--www-authenticate", "Basic"}).out, "is no challenge"));
    CHECK(has(ask({"notes", "--refresh-token", "--www-authenticate", "Bearer"}).out, "refresh"));
    CHECK(ask({"absent"}).code == 2);
}

TEST_CASE("a client verb says that nothing listens") {
    cli_directory dir;
    const auto file = dir.write("c.yaml", sample);
    const auto r = run({"status", "-c", file, "--set", "state_directory=" + dir.path});
    CHECK(r.code == 1);
    CHECK(has(r.err, "mcp-reauth serve"));
}

TEST_CASE("tables are aligned by code points") {
    CHECK(format_table({{"A", "B"}, {"long", "x"}, {"é", "y"}}) == "A     B\nlong  x\né     y\n");
    CHECK(format_table({}).empty());
}

TEST_CASE("times are told relative to now") {
    const std::chrono::system_clock::time_point now{};
    CHECK(relative_time(now, now) == "now");
    CHECK(relative_time(now + 90s, now) == "in 1 min");
    CHECK(relative_time(now - 2h, now) == "2 h ago");
    CHECK(relative_time(now + 49h, now) == "in 2 d");
    CHECK(parse_rfc3339("1970-01-01T00:01:00Z") == now + 60s);
    CHECK(parse_rfc3339("2999-01-01T00:00:00Z") == std::chrono::system_clock::time_point::max());
    CHECK_FALSE(parse_rfc3339("yesterday"));
    CHECK_FALSE(parse_rfc3339("1970-01-01T00:01:00Zx"));
}

TEST_CASE("odd JSON from the API reads as empty") {
    CHECK(text_of(nlohmann::json::parse("[1]"), "x").empty());
    CHECK(text_of({{"x", 1}}, "x").empty());
    CHECK(text_of({{"x", "a\x1b[31mb"}}, "x") == "a[31mb");
    CHECK(joined({{"x", {"a", 1, "b"}}}, "x") == "a b");
    CHECK(array_of({{"x", "y"}}, "x").empty());
    CHECK_FALSE(flag_of({{"x", "true"}}, "x"));
    CHECK(time_of({{"x", "never"}}, "x") == "-");
}

TEST_CASE("client-config prints the command beside the entry, and both as JSON") {
    cli_directory dir;
    const auto file = dir.write("c.yaml", "upstreams: {notes: {url: 'https://notes.example/mcp'}}\n");
    const auto text = run({"client-config", "--for", "claude-code", "-c", file}); // the only upstream
    CHECK(text.code == 0);
    CHECK(has(text.err, "claude mcp add --transport http notes http://127.0.0.1:8970/notes"));
    CHECK_FALSE(has(text.out, "claude mcp add"));
    const auto json =
        nlohmann::json::parse(run({"client-config", "notes", "--for", "codex", "-c", file, "--json"}).out);
    CHECK(json["command"] == "codex mcp add notes --url http://127.0.0.1:8970/notes");
    CHECK(has(json["text"].get<std::string>(), "[mcp_servers.notes]"));
    CHECK(json["url"] == "http://127.0.0.1:8970/notes");
}

TEST_CASE("the running proxy is found: by its configuration, or because it is the only one") {
    cli_directory dir;
    const std::map<std::string, std::string> home{{"HOME", dir.path}};
    const auto none = run({"client-config", "--for", "url"}, home);
    CHECK(none.code == 2);
    auto settings = config_for_url("https://mcp.example.com/mcp", {{}, home, false}).value();
    settings.listen.port = 4321;
    auto note = std::make_unique<running_file>();
    REQUIRE(note->write(settings.state_directory, describe_running(settings, 4321, 4322)).has_value());
    CHECK(run({"client-config", "--for", "url"}, home).out == "http://127.0.0.1:4321/\n");
    CHECK(run({"client-config", "example", "--for", "url"}, home).out == "http://127.0.0.1:4321/\n");
    CHECK(has(run({"check"}, home).out, "https://mcp.example.com/mcp"));
    const auto status = run({"status"}, home);
    CHECK(status.code != 0);
    CHECK(has(status.err, "operator token")); // it looks where that proxy keeps it, and says so
    // one that was named, and does not run, is not mistaken for it
    const auto file = dir.write("c.yaml", "upstreams: {notes: {url: 'https://notes.example/mcp'}}\n");
    CHECK(run({"client-config", "--for", "url", "-c", file}, home).out == "http://127.0.0.1:8970/notes\n");
    // the one that runs with the file that was named, where it has been told to listen
    auto named = load_config(file, {{{"listen", "127.0.0.1:5555"}}, home, false}).value();
    auto about = describe_running(named, 5555, 5556);
    auto second = std::make_unique<running_file>();
    about.pid = ::getppid(); // another process that lives
    std::ifstream stat("/proc/" + std::to_string(about.pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string field;
    for (int i = 3; i <= 22; ++i)
        fields >> field;
    about.started = std::stoull(field);
    REQUIRE(second->write(named.state_directory, about).has_value());
    CHECK(run({"client-config", "--for", "url", "-c", file}, home).out == "http://127.0.0.1:5555/notes\n");
    const auto several = run({"client-config", "--for", "url"}, home);
    CHECK(several.code == 2);
    CHECK(has(several.err, "2 proxies run here"));
    CHECK(has(several.err, "--config " + file));
    about.stdio = true; // it shares the other's page, and serves no client that asks here
    REQUIRE(second->write(named.state_directory, about).has_value());
    CHECK(run({"client-config", "--for", "url"}, home).out == "http://127.0.0.1:4321/\n");
    second.reset();
    note.reset();
    CHECK(run({"client-config", "--for", "url"}, home).code == 2);
}

TEST_CASE("a FIFO among the notes, one of a million levels and one of another user's making hold up nobody") {
    cli_directory dir;
    const std::map<std::string, std::string> home{{"HOME", dir.path}};
    auto settings = config_for_url("https://mcp.example.com/mcp", {{}, home, false}).value();
    settings.listen.port = 4321;
    running_file note;
    REQUIRE(note.write(settings.state_directory, describe_running(settings, 4321, 4322)).has_value());
    const auto folder = settings.state_directory + "/running/";
    REQUIRE(::mkfifo((folder + "1.json").c_str(), 0600) == 0);
    std::ofstream(folder + "2.json") << std::string(1'000'000, '[');
    ::chmod((folder + "2.json").c_str(), 0600);
    std::ofstream(folder + "3.json") << R"({"pid":1,"started":1})";
    ::chmod((folder + "3.json").c_str(), 0666);
    CHECK(live_proxies(settings.state_directory).size() == 1);
    CHECK(run({"client-config", "--for", "url"}, home).out == "http://127.0.0.1:4321/\n");
    // where the next note of this process would be written
    REQUIRE(::mkfifo((folder + std::to_string(::getpid()) + ".json.new").c_str(), 0600) == 0);
    running_file again;
    CHECK(again.write(settings.state_directory, describe_running(settings, 1, 2)).has_value());
}

TEST_CASE("notes lie in directories of their user alone, whatever the umask") {
    cli_directory dir;
    const auto before = ::umask(0);
    const auto state = dir.path + "/a/state";
    auto settings = config_for_url("https://mcp.example.com/mcp", {{}, {{"HOME", dir.path}}, false}).value();
    running_file note;
    const auto written = note.write(state, describe_running(settings, 1, 2));
    ::umask(before);
    REQUIRE(written.has_value());
    for (const auto* part : {"/a", "/a/state", "/a/state/running"}) {
        struct stat about{};
        REQUIRE(::stat((dir.path + part).c_str(), &about) == 0);
        CHECK((about.st_mode & 0777) == 0700);
    }
}

TEST_CASE("the file of a process that has gone is not believed") {
    cli_directory dir;
    auto settings = config_for_url("https://mcp.example.com/mcp", {{}, {{"HOME", dir.path}}, false}).value();
    auto about = describe_running(settings, 1, 2);
    running_file note;
    about.started += 1; // the pid was given to somebody else
    REQUIRE(note.write(settings.state_directory, about).has_value());
    CHECK(live_proxies(settings.state_directory).empty());
}
