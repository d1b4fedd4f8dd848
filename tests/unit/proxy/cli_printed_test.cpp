// What a command prints, wherever it came from.
#include "proxy/cli/printed.hpp"

#include "tests/support/catch.hpp"

#include <sstream>

using namespace reauth;

namespace {

std::string printed(std::initializer_list<std::string> pieces) {
    std::ostringstream to;
    {
        visible_stream out(to);
        for (const auto& piece : pieces)
            out << piece;
    }
    return to.str();
}

} // namespace

TEST_CASE("a terminal gets no escape, whoever wrote the text") {
    CHECK(printed({"a\x1b]0;owned\x07"
                   "b\r\n"}) == "a\\u001b]0;owned\\u0007b\\u000d\n");
    CHECK(printed({"\xc2\x9b"
                   "31m",
                   "\xe2\x80\xae"
                   "x"}) == "\\u009b31m\\u202ex");
    CHECK(printed({"plain\ttext: ä€😀\n"}) == "plain\ttext: ä€😀\n");
    CHECK(printed({"\xff"}) == "\xef\xbf\xbd");
}

TEST_CASE("a character that is cut between two writes is whole, and one that never ends is told") {
    CHECK(printed({"\xe2", "\x82", "\xac!"}) == "€!");
    CHECK(printed({"\xf0\x9f", "\x98\x80"}) == "😀");
    CHECK(printed({"x\xe2\x82"}).starts_with("x"));
    std::ostringstream to;
    visible_stream out(to);
    out << "now" << std::flush;
    CHECK(to.str() == "now");
    out << 'c' << 7;
    CHECK(to.str() == "nowc7");
}
