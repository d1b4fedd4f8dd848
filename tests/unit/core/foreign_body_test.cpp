// Bodies as servers of the field send them: JSON with slips, content codings nobody asked for.
#include "core/http/content_coding.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_repair.hpp"
#include "core/oauth/token.hpp"

#include "tests/support/catch.hpp"

#include <zlib.h>

using namespace reauth;

namespace {

/// window 15: zlib; 31: gzip; -15: raw deflate.
std::string packed(const std::string& text, int window) {
    z_stream z{};
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&z, text.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out.resize(out.size() - z.avail_out);
    deflateEnd(&z);
    return out;
}

constexpr std::size_t cap = 256 * 1024;

} // namespace

TEST_CASE("a slip in a member that nobody reads spoils no document") {
    for (const char* slip :
         {R"("\ud800")", R"("\ud800\u0041")", R"("\udc00\ud800")", "\"caf\xe9\"", "\"\xff\xfe\"", "1e400",
          "-1e999", "NaN", "-Infinity", "\"a\tb\nc\"", R"("it\'s")", R"("\u12")",
          R"({"deep":[1e400,{"x":"\ud83d"}]})", R"("\ud83d\ude00")", "\"\xc3\xa9\""}) {
        const std::string text =
            std::string(R"({"a":"1","odd":)") + slip + R"(,"b":[2,3],"c":"\u00e9\\\"x"})";
        INFO(text);
        const auto document = parse_json_object(text);
        REQUIRE(document);
        CHECK(json_string(*document, "a") == "1");
        CHECK(json_string(*document, "c") == "\u00e9\\\"x");
        CHECK((*document)["b"].size() == 2);
    }
}

TEST_CASE("what is sound stays as it is, and what is no JSON is none") {
    for (const char* good : {R"({"a":1.5e3,"b":-0,"c":"\ud83d\ude00é\n","d":[true,false,null]})", "{}", "[]"})
        CHECK(repair_json(good) == good);
    for (const char* bad :
         {"", "{", R"({"a":)", R"({"a":"x)", "<html>", R"({"a" "b"})", R"({"a":"\)", "{\"a\":\"\\u"})
        CHECK_FALSE(parse_json_object(bad));
}

TEST_CASE("a token answer is read although a member of it is odd") {
    http_response answer;
    answer.status = 200;
    answer.body =
        "{\"access_token\":\"at\",\"token_type\":\"Bearer\",\"refresh_token\":\"r2\",\"user\":\"Ren\xe9\","
        "\"expires_in\":1e400,\"note\":\"\\ud800\"}";
    const auto read = read_token_response(answer);
    REQUIRE(read);
    CHECK(read->refresh_token == secret{"r2"});
    CHECK_FALSE(read->expires_in);
}

TEST_CASE("gzip and deflate in all their spellings are undone") {
    const std::string text = R"({"access_token":"x"})" + std::string(5000, 'y');
    CHECK(decode_content("", text, cap).value() == text);
    CHECK(decode_content("identity", text, cap).value() == text);
    CHECK(decode_content("gzip", packed(text, 31), cap).value() == text);
    CHECK(decode_content(" X-GZIP ", packed(text, 31), cap).value() == text);
    CHECK(decode_content("deflate", packed(text, 15), cap).value() == text);
    CHECK(decode_content("deflate", packed(text, -15), cap).value() == text);
    CHECK(decode_content("deflate, gzip", packed(packed(text, 15), 31), cap).value() == text);
    CHECK(decode_content("gzip", packed("a", 31) + packed("b", 31), cap).value() == "ab");
    CHECK(decode_content("gzip", "", cap).value().empty());
}

TEST_CASE("a body may come byte by byte") {
    const auto bytes = packed(std::string(1000, 'z'), -15);
    auto decoder = content_decoder::create("deflate");
    REQUIRE(decoder);
    std::string out;
    for (const char c : bytes)
        REQUIRE(decoder->feed({&c, 1}, out, cap));
    CHECK(out == std::string(1000, 'z'));
    CHECK(decoder->finish());
}

TEST_CASE("an unknown coding is named, a broken one refused, and a bomb stops at the cap") {
    for (const char* unknown : {"br", "zstd", "gzip, br", "aws-chunked"}) {
        const auto r = decode_content(unknown, "x", cap);
        REQUIRE_FALSE(r);
        CHECK_THAT(r.error().message, Catch::Contains(unknown == std::string("gzip, br") ? "br" : unknown));
    }
    CHECK_FALSE(decode_content("gzip,gzip,gzip,gzip", "x", cap));
    CHECK_FALSE(decode_content("gzip", "not gzip at all", cap));
    const auto whole = packed(std::string(3000, 'q') + "end", 31);
    CHECK_FALSE(decode_content("gzip", whole.substr(0, whole.size() / 2), cap));
    const auto bomb = decode_content("gzip", packed(std::string(50 << 20, '\0'), 31), cap);
    REQUIRE_FALSE(bomb);
    CHECK_THAT(bomb.error().message, Catch::Contains("256 KiB"));
}
