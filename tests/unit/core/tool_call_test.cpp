// A body as a person approves it: read strictly, bound exactly, shown honestly.
#include "core/tool_call.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("arguments are shown indented, cleaned and capped, with every digit") {
    CHECK(shown_arguments(R"({"a":1,"b":[1.50,{}],"c":[],"d":"x:{,"})") ==
          "{\n  \"a\": 1,\n  \"b\": [\n    1.50,\n    {}\n  ],\n  \"c\": [],\n  \"d\": \"x:{,\"\n}");
    CHECK(shown_arguments("").empty());
    CHECK(shown_arguments("7") == "7");
    CHECK(shown_arguments("{\"a\":\"\xe2\x80\xae"
                          "evil\"}") == "{\n  \"a\": \"evil\"\n}");
    CHECK(shown_arguments(R"({"a":"say \"hi\" \\"})") == "{\n  \"a\": \"say \\\"hi\\\" \\\\\"\n}");
    const auto large = shown_arguments("{\"a\":\"" + std::string(100'000, 'x') + "\"}", 1000);
    CHECK(large.size() < 1060);
    CHECK(large.ends_with("… not shown whole: 100008 bytes in all"));
}
