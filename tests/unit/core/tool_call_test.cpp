// A body as a person approves it: read strictly, bound exactly, shown honestly.
#include "core/mcp/shown_call.hpp"

#include "core/mcp/json_rpc.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;

namespace {

std::string call(const std::string& arguments, const std::string& id = "1", const std::string& meta = "{}") {
    return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call","params":{"name":"rm","arguments":)" +
           arguments + R"(,"_meta":)" + meta + "}}";
}

std::string canonical(const std::string& body) {
    const auto read = read_call_content(body);
    REQUIRE(read.has_value());
    return read->canonical;
}

bool refused(const std::string& body) {
    const auto read = read_call_content(body);
    return read.has_error() && read.error().code == fault::denied_by_policy;
}

} // namespace

TEST_CASE("a call is read with its tool and its arguments") {
    const auto read = read_call_content(call(R"({ "path" : "/tmp" , "n": [1, 2] })"));
    REQUIRE(read.has_value());
    REQUIRE(read->calls.size() == 1);
    CHECK(read->calls[0].method == "tools/call");
    CHECK(read->calls[0].tool == "rm");
    CHECK(read->calls[0].arguments == R"({"path":"/tmp","n":[1,2]})");
    const auto batch = read_call_content("[" + call("{}") + "," + call("7") + R"(,{"id":1,"result":{}}])");
    REQUIRE(batch.has_value());
    REQUIRE(batch->calls.size() == 3);
    CHECK(batch->calls[1].arguments == "7");
    CHECK(batch->calls[2].method.empty());
}

TEST_CASE(
    "a second try of the same call is the same: other id, progress token and trace, other white space") {
    const auto first = canonical(call(R"({"a":1})", "1", R"({"progressToken":1,"traceparent":"x","k":"v"})"));
    CHECK(first == canonical(call("{\n  \"a\" : 1\n}", "\"other\"",
                                  R"({"progressToken":"p","traceparent":{"y":[1]},"k":"v"})")));
    CHECK(first != canonical(call(R"({"a":1})", "1", R"({"k":"w"})")));
    CHECK(canonical(call(R"({"a":"\u0041"})")) == canonical(call(R"({"a":"A"})")));
}

TEST_CASE("whatever else differs is another call, digit by digit") {
    const auto first = canonical(call(R"({"n":12345678901234567890123})"));
    CHECK(first != canonical(call(R"({"n":12345678901234567890124})")));
    CHECK(canonical(call(R"({"n":1.0})")) != canonical(call(R"({"n":1})")));
    CHECK(canonical(call(R"({"n":1})")) != canonical(call(R"({"n":"1"})")));
    CHECK(canonical(call(R"({"id":1})")) != canonical(call(R"({"id":2})"))); // an argument called id
    CHECK(canonical(call(R"({"a":1,"b":2})")) != canonical(call(R"({"b":2,"a":1})")));
}

TEST_CASE("a body that readers could understand differently is refused") {
    CHECK(refused(R"({"id":1,"method":"ping","method":"tools/call"})"));
    CHECK(refused(R"({"id":1,"method":"tools/call","params":{"name":"ls"}})" + std::string(1, '\0') + "{}"));
    CHECK(refused(call(R"({"path":"/tmp","path":"/"})")));
    CHECK(refused(call(R"({"a":{"b":[{"c":1,"c":2}]}})")));
    CHECK(refused(R"({"id":1,"method":"ping","Method":"tools/call","params":{"name":"rm"}})"));
    CHECK(refused(R"({"id":1,"method":"tools/call","params":{"name":"ls","NAME":"rm"}})"));
    CHECK(refused("{\"id\":1,\"method\":\"tools/call\",\"param\xc5\xbf\":{\"name\":\"rm\"}}"));
    CHECK(refused(R"({"id":1,"method":7})"));
    CHECK(refused(R"({"id":1,"method":"tools/call","params":{"name":{"a":1},"uri":"x"}})"));
    CHECK(refused(R"({"id":1,"method":"tools/call","params":["rm",{}]})")); // by position
    CHECK(refused(R"({"id":1,"method":"tools/call","params":"rm"})"));
    CHECK(refused(R"([{"id":1,"method":"tools/call","params":[]}])"));
    CHECK_FALSE(refused(R"({"id":1,"method":"ping","params":null})"));
    CHECK(refused("not json"));
    CHECK(refused(""));
    CHECK(refused("7"));
    CHECK(refused("[[]]"));
    CHECK(refused(std::string("\x1f\x8b\x08", 3)));
    std::string deep = call(std::string(300, '[') + std::string(300, ']'));
    CHECK(refused(deep));
    CHECK_FALSE(
        refused(call(R"({"Path":1,"path":2,"ähnlich":3})"))); // in arguments every name is the tool's own
}

TEST_CASE("a retry that brings a progress token where no _meta and no params were is the same call") {
    const auto bare = R"({"id":1,"method":"tools/list"})";
    CHECK(canonical(bare) ==
          canonical(R"({"id":2,"method":"tools/list","params":{"_meta":{"progressToken":1}}})"));
    CHECK(canonical(bare) == canonical(R"({"params":{"_meta":{}},"id":2,"method":"tools/list"})"));
    const auto with = R"({"id":1,"method":"tools/call","params":{"name":"rm","arguments":{"a":1}}})";
    CHECK(
        canonical(with) ==
        canonical(
            R"({"id":1,"method":"tools/call","params":{"_meta":{"progressToken":7,"baggage":{"x":{}}},"name":"rm","arguments":{"a":1}}})"));
    CHECK(
        canonical(with) ==
        canonical(
            R"({"id":1,"method":"tools/call","params":{"name":"rm","_meta":{"traceparent":"t"},"arguments":{"a":1}}})"));
    CHECK(
        canonical(with) !=
        canonical(
            R"({"id":1,"method":"tools/call","params":{"name":"rm","arguments":{"a":1},"_meta":{"k":{}}}})"));
    // an argument that is called so is the tool's own
    CHECK(canonical(call(R"({"_meta":{}})")) != canonical(call("{}")));
    CHECK(
        canonical("[" + std::string(bare) + "," + bare + "]") ==
        canonical(
            R"([{"id":1,"method":"tools/list","params":{"_meta":{"progressToken":1}}},{"id":2,"method":"tools/list","params":{}}])"));
}

TEST_CASE("the method decides which member names the operation, wherever it stands") {
    const auto named = [](const std::string& body) {
        const auto read = read_call_content(body);
        REQUIRE(read.has_value());
        const auto shallow = parse_rpc(body); // the other reader says the same
        REQUIRE(shallow.valid);
        CHECK(shallow.messages.front().tool == read->calls.front().tool);
        return read->calls.front().tool;
    };
    CHECK(named(R"({"id":1,"method":"resources/read","params":{"name":"harmless","uri":"file:///x"}})") ==
          "file:///x");
    CHECK(named(R"({"params":{"uri":"file:///x","name":"harmless"},"id":1,"method":"resources/read"})") ==
          "file:///x");
    CHECK(named(R"({"id":1,"method":"resources/read","params":{"name":"harmless"}})").empty());
    CHECK(named(R"({"id":1,"method":"tools/call","params":{"uri":"x"}})").empty());
    CHECK(named(R"({"id":1,"method":"tools/call","params":{"uri":"x","name":"rm"}})") == "rm");
    CHECK(named(R"({"id":1,"method":"prompts/get","params":{"uri":"x","name":"p"}})") == "p");
    CHECK(named(R"({"id":1,"method":"ping","params":{"name":"rm"}})").empty());
    CHECK(named(R"({"id":1,"method":"acme/call","params":{"name":"rm"}})") == "rm");
}

TEST_CASE("whatever is bound is shown: every message, and what stands beside the arguments") {
    const auto read = read_call_content(
        R"([{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_x","arguments":{"n":1.50}}},)"
        R"({"jsonrpc":"2.0","id":2,"method":"tools/call","x":7,"params":{"name":"rm","uri":"u","task":{"ttl":60000},)"
        R"("requestState":"s","_meta":{"progressToken":1,"acme/as":"root"}}},{"id":3,"result":{"ok":true}}])");
    REQUIRE(read.has_value());
    const auto shown = show_calls(*read, 1);
    REQUIRE(shown.calls.size() == 3);
    CHECK(shown.hidden == 0);
    CHECK(shown.calls[0].tool == "rm"); // what the rule names comes first
    for (const auto* part :
         {"\"ttl\": 60000", "\"requestState\": \"s\"", "\"acme/as\": \"root\"", "\"x\": 7", "\"uri\": \"u\""})
        CHECK(shown.calls[0].also.find(part) != std::string::npos);
    CHECK(shown.calls[0].also.find("progressToken") == std::string::npos);
    CHECK(shown.calls[1].arguments == "{\n  \"n\": 1.50\n}");
    CHECK(shown.calls[1].also.empty());
    CHECK(shown.calls[2].also.find("\"ok\": true") != std::string::npos);
}

TEST_CASE(
    "what is too much to be shown is counted, and the call that matters is shown before it fills the page") {
    std::string batch = "[";
    for (int i = 0; i < 3; ++i)
        batch += R"({"id":1,"method":"tools/call","params":{"name":"read","arguments":{"a":")" +
                 std::string(4000, 'x') + "\"}}},";
    const auto read = read_call_content(batch + R"({"id":2,"method":"tools/call","params":{"name":"rm"}}])");
    REQUIRE(read.has_value());
    CHECK(show_calls(*read, 3).hidden == 0);
    const auto little = show_calls(*read, 3, 6000);
    CHECK(little.calls[0].tool == "rm");
    CHECK(little.hidden > 6000);
    std::string crowd = "[" + batch.substr(1);
    for (int i = 0; i < 900; ++i)
        crowd += R"({"id":1,"method":"ping"},)";
    const auto many = read_call_content(crowd.substr(0, crowd.size() - 1) + "]");
    REQUIRE(many.has_value());
    CHECK(show_calls(*many, 0).calls.size() < 600);
    CHECK(show_calls(*many, 0).hidden > 0);
}

TEST_CASE("what cannot be seen is shown as its escape") {
    CHECK(shown_arguments("{\"p\":\"/srv/a\xe2\x80\x8btmp\"}") == "{\n  \"p\": \"/srv/a\\u200btmp\"\n}");
    CHECK(shown_arguments("{\"p\":\"a\xc2\xa0"
                          "b\xf3\xa0\x81\x81\"}") == "{\n  \"p\": \"a\\u00a0b\\udb40\\udc41\"\n}");
    CHECK(shown_arguments("{\"p  q\":\"a  b \"}") == "{\n  \"p  q\": \"a  b \"\n}");
    CHECK(shown_arguments("\"\x7f\xc2\x85\"") == "\"\\u007f\\u0085\"");
    CHECK(shown_arguments(R"("\\u200b")") == R"("\\u200b")"); // the text that is written so stays apart
}

TEST_CASE("arguments are shown indented, cleaned and capped, with every digit") {
    CHECK(shown_arguments(R"({"a":1,"b":[1.50,{}],"c":[],"d":"x:{,"})") ==
          "{\n  \"a\": 1,\n  \"b\": [\n    1.50,\n    {}\n  ],\n  \"c\": [],\n  \"d\": \"x:{,\"\n}");
    CHECK(shown_arguments("").empty());
    CHECK(shown_arguments("7") == "7");
    CHECK(shown_arguments("{\"a\":\"\xe2\x80\xae"
                          "evil\"}") == "{\n  \"a\": \"\\u202eevil\"\n}");
    CHECK(shown_arguments(R"({"a":"say \"hi\" \\"})") == "{\n  \"a\": \"say \\\"hi\\\" \\\\\"\n}");
    const auto large = shown_arguments("{\"a\":\"" + std::string(100'000, 'x') + "\"}", 1000);
    CHECK(large.size() < 1060);
    CHECK(large.ends_with(" of 100008 bytes"));
    const auto cut = show_json("\"\xc3\xa4\xc3\xa4\xc3\xa4\"", 4); // never within a character
    CHECK(cut.text == "\"\xc3\xa4");
    CHECK(cut.hidden == 5);
}
