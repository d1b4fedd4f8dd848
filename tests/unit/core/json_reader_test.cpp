// JSON from outside is bounded before it becomes a document.
#include "core/json/json_fields.hpp"
#include "core/json/json_members.hpp"
#include "core/json/json_reader.hpp"

#include "tests/support/catch.hpp"

#include <limits>

using namespace reauth;

namespace {

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

} // namespace

TEST_CASE("a million levels, a hundred million bytes and a crowd of members are refused before a document is "
          "built") {
    CHECK(read_json(nested(128)).has_value());
    CHECK_FALSE(read_json(nested(129)).has_value());
    CHECK_FALSE(read_json(nested(1'000'000), whole_message).has_value());
    CHECK_FALSE(read_json("{\"a\":" + nested(400'000) + "}", whole_message).has_value());
    CHECK_FALSE(read_json("\"" + std::string(300'000, 'x') + "\"").has_value());
    std::string crowd = "[0";
    for (int i = 0; i < 60'000; ++i)
        crowd += ",0";
    CHECK_FALSE(read_json(crowd + "]").has_value());
    CHECK(read_json(crowd + "]", whole_message).has_value());
    CHECK_FALSE(parse_json_object("{\"a\":" + nested(32'600) + "}").has_value());
    // what is mended is measured again
    CHECK_FALSE(parse_json_object("{\"b\":NaN,\"a\":" + nested(32'600) + "}").has_value());
}

TEST_CASE("brackets in strings are no levels, and an escaped quote ends none") {
    CHECK(read_json(R"({"a":")" + std::string(10'000, '[') + R"(\"[[[","b":"\\"})").has_value());
}

TEST_CASE("a NUL is no end of a document") {
    CHECK_FALSE(read_json(std::string("{}\0{", 4)).has_value());
    CHECK_FALSE(is_json(std::string("{}\0", 3)));
    CHECK(is_json(" [1] "));
    CHECK_FALSE(is_json("[1"));
}

TEST_CASE("what is written is bounded too, and bytes that are no UTF-8 do not stop it") {
    nlohmann::json deep = 1;
    for (int i = 0; i < 511; ++i)
        deep = nlohmann::json::array({std::move(deep)});
    CHECK(json_text(deep).size() == 1023);
    deep = nlohmann::json::array({nlohmann::json::array({std::move(deep)})});
    CHECK(json_text(deep) == "null");
    CHECK(json_text(nlohmann::json("\xff")) == "\"\xef\xbf\xbd\"");
    CHECK(json_text(nlohmann::json{{"a", 1}}, 2) == "{\n  \"a\": 1\n}");
}

TEST_CASE("a stored time beyond what a clock holds is its end, however it is written") {
    CHECK(time_stored(1e99) == time_stored(9'000'000'000'000));
    CHECK(time_stored(-1e99) == time_stored(-9'000'000'000'000));
    CHECK(time_stored((std::numeric_limits<std::uint64_t>::max)()) == time_stored(9'000'000'000'000));
    CHECK(stored_time(time_stored(1'800'000'000'000)) == 1'800'000'000'000);
    CHECK_THROWS(time_stored("1"));
}

TEST_CASE("members are cut out as they stand") {
    const auto members = json_members(R"( { "a" : 1.50 , "b,:]" : [1,{"c":2}] , "d" : "}\"," } )");
    REQUIRE(members.size() == 3);
    CHECK(members[0].key == "\"a\"");
    CHECK(members[0].value == "1.50");
    CHECK(members[1].key == "\"b,:]\"");
    CHECK(members[1].value == "[1,{\"c\":2}]");
    CHECK(members[2].value == "\"}\\\",\"");
    CHECK(json_members("[]").empty());
    CHECK(json_members("[7, \"x\"]")[1].key.empty());
}
