// Text for man pages: nothing in it is a command.
#include "conf/roff.hpp"

#include "tests/support/catch.hpp"

using reauth::roff;

TEST_CASE("what roff would read as a command is plain") {
    CHECK(roff("plain") == "plain");
    CHECK(roff(".TH x") == "\\&.TH x");
    CHECK(roff("a\n'so b") == "a\n\\&'so b");
    CHECK(roff("a\\fBb") == "a\\efBb");
    CHECK(roff("--flag") == "\\-\\-flag");
}

TEST_CASE("code in Markdown's marks is bold") {
    CHECK(roff("write `a: b` here") == "write \\fBa: b\\fR here");
}
