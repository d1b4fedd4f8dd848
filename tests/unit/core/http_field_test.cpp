// The lexical pieces of HTTP fields, which are read eight characters at a time: every character at every
// place.
#include "core/http/http_field.hpp"

#include "tests/support/catch.hpp"

#include <cctype>
#include <string>

using namespace reauth;

TEST_CASE("http field: each control character is seen, wherever it stands in a value") {
    for (unsigned c = 0; c < 256; ++c) {
        const bool fine = c == '\t' || (c >= 0x20 && c != 0x7f);
        for (std::size_t size = 1; size <= 20; ++size)
            for (std::size_t at = 0; at < size; ++at) {
                std::string value(size, '\xe4');
                for (std::size_t i = 0; i < size; i += 3)
                    value[i] = i % 2 ? ' ' : '~';
                value[at] = static_cast<char>(c);
                if (valid_field_value(value) != fine)
                    FAIL("character " << c << " at " << at << " of " << size);
            }
    }
    CHECK(valid_field_value(""));
    CHECK(valid_field_value("tab\tand more than eight characters"));
    CHECK_FALSE(valid_field_value("tab\tand then a line\r\nfeed"));
}

TEST_CASE("http field: a token ends at the first character that is none") {
    CHECK(token_length("") == 0);
    CHECK(token_length("Content-Type: x") == 12);
    CHECK(token_length(" x") == 0);
    CHECK(token_length("abc") == 3);
    CHECK(valid_token("abc"));
    CHECK_FALSE(valid_token("a c"));
    CHECK_FALSE(valid_token(""));
}

TEST_CASE("http field: a known name is known in any case, and nothing that differs in one character is") {
    const std::string names[] = {"accept",
                                 "authorization",
                                 "connection",
                                 "content-length",
                                 "cookie2",
                                 "host",
                                 "http2-settings",
                                 "te",
                                 "transfer-encoding",
                                 "www-authenticate",
                                 "mcp-protocol-version",
                                 "mcp-session-id"};
    for (const auto& name : names) {
        const auto id = identify_field(name);
        REQUIRE(id != field_id::other);
        auto upper = name, mixed = name;
        for (auto& c : upper)
            c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        mixed[0] = upper[0];
        CHECK(identify_field(upper) == id);
        CHECK(identify_field(mixed) == id);
        for (std::size_t at = 0; at < name.size(); ++at)
            for (unsigned c = 0; c < 256; ++c) {
                auto other = name;
                other[at] = static_cast<char>(c);
                if (!is_token_char(other[at]) || std::tolower(static_cast<int>(c)) == name[at])
                    continue;
                if (identify_field(other) == id)
                    FAIL(other << " is taken for " << name);
            }
    }
}
