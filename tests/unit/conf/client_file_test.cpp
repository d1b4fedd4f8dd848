// Entries of npx mcp-remote in the files of clients.
#include "conf/client_file.hpp"
#include "core/json/json_reader.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using reauth::test::has;

namespace {

rewritten_file rewritten(std::string_view text) {
    auto out = rewrite_remote_entries(text, {"/usr/bin/mcp-reauth"});
    if (!out)
        FAIL(out.error().message);
    return std::move(*out);
}

} // namespace

TEST_CASE("an entry of mcp-remote becomes one of ours, and every other byte stays") {
    const std::string file = R"({
  // servers
  "mcpServers": {
    "linear": {
      "command": "npx",
      "args": ["-y", "mcp-remote@latest", "https://mcp.linear.app/sse", /* tenant */ "--header", "X-A: \"b\""],
      "env": { "TOKEN": "x" },
    },
    "files": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/"] }
  }
}
)";
    const auto out = rewritten(file);
    auto wanted = file;
    wanted.replace(wanted.find("\"npx\""), 5, "\"/usr/bin/mcp-reauth\"");
    const std::string start = R"("-y", "mcp-remote@latest")";
    wanted.replace(wanted.find(start), start.size(), "\"stdio\"");
    CHECK(out.text == wanted);
    REQUIRE(out.entries.size() == 1);
    CHECK(out.entries[0].name == "linear");
    CHECK(out.entries[0].arguments ==
          std::vector<std::string>{"https://mcp.linear.app/sse", "--header", "X-A: \"b\""});
    CHECK(has(out.difference, "@@ -5,2 +5,2 @@\n-      \"command\": \"npx\",\n"));
    CHECK(has(out.difference, "\n+      \"command\": \"/usr/bin/mcp-reauth\",\n"));
    // once more there is nothing to do
    CHECK(rewritten(out.text).entries.empty());
    CHECK(rewritten(out.text).text == out.text);
    CHECK(rewritten(out.text).difference.empty());
}

TEST_CASE("every way to start it is known, and every place that clients keep servers in") {
    const auto arguments = [](const std::string& command, const std::string& args) {
        const auto out = rewritten(R"({"mcp":{"servers":{"a":{"type":"stdio","command":")" + command +
                                   R"(","args":)" + args + "}}}}");
        REQUIRE(out.entries.size() == 1);
        const auto now = read_json(out.text);
        REQUIRE(now);
        const auto& entry = (*now)["mcp"]["servers"]["a"];
        CHECK(entry["command"] == "/usr/bin/mcp-reauth");
        CHECK(entry["type"] == "stdio");
        return json_text(entry["args"]);
    };
    const std::string here = R"(["stdio","https://x.example/mcp"])";
    CHECK(arguments("npx", R"(["mcp-remote","https://x.example/mcp"])") == here);
    CHECK(arguments("cmd", R"(["/c","npx","-y","mcp-remote","https://x.example/mcp"])") == here);
    CHECK(arguments("mcp-remote", R"(["https://x.example/mcp"])") == here);
    CHECK(arguments("C:\\\\npm\\\\mcp-remote.cmd", R"(["https://x.example/mcp"])") == here);
    CHECK(arguments("pnpm", R"(["dlx","mcp-remote@0.1.38","https://x.example/mcp"])") == here);
    CHECK(arguments("node", R"(["/opt/node_modules/mcp-remote/dist/proxy.js","https://x.example/mcp"])") ==
          here);
}

TEST_CASE("several entries on one line are one difference") {
    const auto out = rewritten(
        R"({"servers":{"a":{"args":["mcp-remote","u"],"command":"npx"},"b":{"command":"npx","args":["mcp-remote","v"]}}})");
    CHECK(out.entries.size() == 2);
    CHECK(out.difference.find("@@") == 0);
    CHECK(out.difference.find("@@", 20) == std::string::npos);
    CHECK(
        out.text ==
        R"({"servers":{"a":{"args":["stdio","u"],"command":"/usr/bin/mcp-reauth"},"b":{"command":"/usr/bin/mcp-reauth","args":["stdio","v"]}}})");
}

TEST_CASE("what is no such file is told with its line, and nothing is guessed") {
    for (const auto* text : {"", "{", "{\"a\": }", "{\n\"a\": [1,\n", "{\"a\" 1}", "{\"a\": tru}", "{} x",
                             "/* never ends", "\"\\"}) {
        INFO(text);
        const auto out = rewrite_remote_entries(text, {"p"});
        REQUIRE(out.has_error());
        CHECK(has(out.error().message, "line "));
    }
    CHECK(rewrite_remote_entries(std::string(100'000, '['), {"p"}).has_error());
    CHECK(has(rewrite_remote_entries("{\n\n\"a\": x}", {"p"}).error().message, "line 3"));
    CHECK(rewritten("\xef\xbb\xbf{\"a\": {\"command\": 1, \"args\": [\"mcp-remote\"]}} // end")
              .entries.empty());
}
