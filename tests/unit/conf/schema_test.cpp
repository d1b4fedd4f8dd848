// One schema: each key is read, documented, shown in effect, and told to editors.
#include "given.hpp"

#include "conf/key_words.hpp"
#include "conf/schema.hpp"
#include "core/json/json_reader.hpp"

#include <set>

using namespace reauth;
using given::has;

namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(std::string(REAUTH_SOURCE_DIR) + "/" + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What stands in the file for a key: the example of its row, else the last of its words, else its default.
std::string value_for(const key_note& note) {
    const auto words = words_of(note.key);
    if (!words.example.empty())
        return std::string(words.example);
    return note.shape.words.empty() ? note.fallback : note.shape.words.back();
}

/// `a: {NAME: {b: value}}` for a.NAME.b, with a list for a[].b.
std::string file_with(std::string key, const std::string& value) {
    std::string head, tail;
    for (bool first = true; !key.empty(); first = false) {
        const auto end = std::min(key.find('.'), key.size());
        auto part = key.substr(0, end);
        key.erase(0, std::min(end + 1, key.size()));
        const bool entries = part.ends_with("[]");
        if (entries)
            part.resize(part.size() - 2);
        head += (first ? "" : "{") + part + ": " + (entries ? "[" : "");
        tail = std::string(entries ? "]" : "") + (first ? "" : "}") + tail;
    }
    return head + value + tail + "\n";
}

/// … where a list's entry is its first one.
std::string as_read(std::string key) {
    for (auto at = key.find("[]"); at != key.npos; at = key.find("[]"))
        key.replace(at, 2, "[0]");
    return key;
}

bool single(const key_note& note) {
    return note.shape.kind < key_kind::mapping;
}

} // namespace

TEST_CASE("every key has a row that says what it means, and every such row is of a key") {
    std::set<std::string> keys;
    for (const auto& note : known_keys()) {
        INFO(note.key);
        CHECK_FALSE(words_of(note.key).meaning.empty());
        CHECK(keys.insert(note.key).second);
        if (const auto instead = words_of(note.key).replaced_by; !instead.empty())
            CHECK_FALSE(words_of(instead).meaning.empty());
    }
    CHECK(keys.size() > 120);
}

TEST_CASE("what a key means says since when it is there, and what to write in the place of an old one") {
    CHECK(whole_meaning({"a", "Means this."}) == "Means this.");
    CHECK(whole_meaning({"a", "Means this.", "", "", "0.2", "b.c"}) ==
          "Means this. Since version 0.2. Write `b.c` in its place.");
    CHECK(has(configuration_markdown(), "Write `approval.notify.command` in its place."));
    CHECK(has(configuration_manual(), "Write \\fBapproval.notify.command\\fR in its place."));
}

TEST_CASE("every key that holds a value is read: its example is in effect, with its line") {
    for (const auto& note : known_keys()) {
        if (!single(note))
            continue;
        const auto yaml = "# first\n" + file_with(note.key, value_for(note));
        INFO(yaml);
        key_log log(false);
        auto in = given::inputs();
        in.keys = &log;
        const auto loaded = load_config_text(yaml, "test.yaml", in);
        if (!loaded) {
            CHECK_FALSE(has(loaded.error().message, "unknown key"));
            CHECK_FALSE(has(loaded.error().message, "did you mean"));
        }
        const auto found = std::find_if(log.all().begin(), log.all().end(),
                                        [&](const key_note& n) { return n.key == as_read(note.key); });
        REQUIRE(found != log.all().end());
        CHECK_FALSE(found->given.empty());
        CHECK(found->at.line == 2);
        if (note.shape.kind < key_kind::list)
            CHECK(found->in_effect() == value_for(note));
    }
}

TEST_CASE("a value of another shape is an error that names its key") {
    for (const auto& note : known_keys()) {
        if (note.shape.kind == key_kind::pairs)
            continue;
        const auto yaml = file_with(note.key, note.shape.kind == key_kind::secret ? "[1]" : "{? [a] : b}");
        INFO(yaml);
        CHECK(given::text(yaml).has_error());
    }
}

TEST_CASE("a secret that is given is shown by where it is from") {
    key_log log(false);
    auto in = given::inputs({{"TOKEN", "tk-secret-0123456789"}, {"MCP_REAUTH_LOG_LEVEL", "debug"}});
    in.keys = &log;
    REQUIRE(load_config_text(
                "approval: {token: {env: TOKEN}, notify: {command: [post, https://hooks.example/s3cret]}}\n"
                "upstreams: {a: {url: https://a.example/mcp, grant: static, token: tk-literal, "
                "headers: {X-Key: tk-header}}}\n",
                "test.yaml", in)
                .has_value());
    std::string shown;
    for (const auto& note : log.all()) {
        shown += note.key + "=" + note.in_effect() + "\n";
        if (note.key == "log.level")
            CHECK(note.at.origin == "MCP_REAUTH_LOG_LEVEL");
    }
    CHECK(has(shown, "approval.token={env: TOKEN}\n"));
    CHECK(has(shown, "upstreams.a.token=(a literal)\n"));
    CHECK(has(shown, "upstreams.a.headers={X-Key}\n"));
    CHECK(has(shown, "approval.notify.command=[post, …]\n"));
    CHECK(has(shown, "approval.public_url=http://127.0.0.1:8971\n"));
    CHECK(has(shown, "vault.key={file: /home/ada/.local/state/mcp-reauth/vault.db.key}\n"));
    for (const auto* secret : {"tk-secret", "tk-literal", "tk-header", "s3cret"})
        CHECK_FALSE(has(shown, secret));
}

TEST_CASE("the schema for editors knows every key, and is the file that stands beside the examples") {
    const auto schema = read_json(configuration_json_schema(), whole_message);
    REQUIRE(schema);
    CHECK((*schema)["additionalProperties"] == false);
    const auto& upstream = (*schema)["properties"]["upstreams"]["additionalProperties"];
    CHECK(upstream["required"] == nlohmann::json::array({"url"}));
    CHECK(upstream["properties"]["par"]["enum"] == nlohmann::json::array({"auto", "require", "never"}));
    CHECK(upstream["properties"]["par"]["default"] == "auto");
    CHECK((*schema)["properties"]["approval"]["properties"]["open_browser"]["enum"].size() == 3);
    CHECK((*schema)["properties"]["approval"]["properties"]["notify_command"]["deprecated"] == true);
    CHECK(text_of("conf/mcp-reauth.schema.json") == configuration_json_schema());
}

TEST_CASE("docs/configuration.md is what the schema says") {
    const auto page = configuration_markdown();
    for (const auto& note : known_keys()) {
        INFO(note.key);
        CHECK(has(page, "| `" + note.key + "` | "));
    }
    CHECK(text_of("docs/configuration.md") == page);
}

TEST_CASE(
    "the manual of the configuration has an entry for each key, and nothing that roff takes for a command") {
    const auto page = configuration_manual();
    for (std::size_t at = 0; at < page.size();) {
        const auto end = page.find('\n', at);
        const auto line = page.substr(at, end - at);
        at = end + 1;
        INFO(line);
        if (line.starts_with('.'))
            CHECK((line.starts_with(".TH ") || line.starts_with(".SH ") || line == ".PP" || line == ".TP" ||
                   line == ".br" || line == ".ad l" || line.starts_with(".B ") || line.starts_with(".BR ")));
        CHECK_FALSE(line.starts_with('\''));
    }
    CHECK(has(page, "\nExample: \\fBacme\\-*\\fR\n"));
    for (const auto& note : known_keys())
        CHECK(has(page, ".TP\n.B " + note.key.substr(0, note.key.find('-'))));
}
