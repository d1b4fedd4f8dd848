// Encodings and the cleaning of foreign text.
#include "core/crypto/digest.hpp"
#include "core/crypto/pkce.hpp"
#include "core/crypto/random.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"
#include "core/text/punycode.hpp"
#include "core/text/utf8.hpp"

#include "tests/unit/core/printing.hpp"

using namespace reauth;

TEST_CASE("ASCII names compare without case and locale") {
    CHECK(iequals("WWW-Authenticate", "www-authenticate"));
    CHECK_FALSE(iequals("a", "ab"));
    CHECK_FALSE(iequals("a", "b"));
    CHECK(ascii_lower("ÄB") == "Äb");
    CHECK(trim_ows(" \tx y\t ") == "x y");
    CHECK(trim_ows(" \t").empty());
    CHECK(trim_space("\r\n x\n") == "x");
}

TEST_CASE("base64 and base64url round-trip every length") {
    std::string bytes;
    for (int i = 0; i < 70; ++i) {
        CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
        CHECK(base64_decode(base64_encode(bytes)) == bytes);
        bytes += static_cast<char>(i * 37 + 200);
    }
    CHECK(base64_encode("f") == "Zg==");
    CHECK(base64_encode("fo") == "Zm8=");
    CHECK(base64url_encode("\xfb\xff") == "-_8");
}

TEST_CASE("base64url refuses foreign characters, lengths and second spellings") {
    CHECK(base64url_decode("-_8=") == "\xfb\xff");
    CHECK_FALSE(base64url_decode("+/8"));
    CHECK_FALSE(base64_decode("-_8"));
    CHECK_FALSE(base64url_decode("A"));
    CHECK_FALSE(base64url_decode("AAAAA"));
    CHECK_FALSE(base64url_decode("Zh"));
    CHECK_FALSE(base64url_decode("Z==="));
    CHECK(base64url_decode("") == "");
}

TEST_CASE("hex and digests have the known values") {
    CHECK(hex_encode(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("form and percent encoding escape all but unreserved characters") {
    CHECK(form_encode("a b+c&d=e/é~") == "a+b%2Bc%26d%3De%2F%C3%A9~");
    CHECK(percent_encode("a b") == "a%20b");
    CHECK(percent_decode("a%20b+c", false) == "a b+c");
    CHECK(percent_decode("a%2Fb+c", true) == "a/b c");
    CHECK_FALSE(percent_decode("%2", true));
    CHECK_FALSE(percent_decode("%", true));
    CHECK_FALSE(percent_decode("%g0", true));
    CHECK_FALSE(percent_decode("%0g", true));
    CHECK(percent_decode("%fF", true) == "\xff");
}

TEST_CASE("a form keeps order, drops broken fields and has a cap") {
    const auto fields = parse_form("a=1&&b=%zz&c&d=x%26y&a=2");
    REQUIRE(fields.size() == 4);
    CHECK(form_value(fields, "a") == "1");
    CHECK(form_value(fields, "c") == "");
    CHECK(form_value(fields, "d") == "x&y");
    CHECK_FALSE(form_value(fields, "b"));
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "a=1&";
    CHECK(parse_form(many).size() == 256);
}

TEST_CASE("a form body is a secret once it is taken") {
    form_body form;
    form.add("grant_type", "x y")
        .add("code", secret{"c&d"})
        .add_if("scope", "")
        .add_if("resource", "http://a/");
    CHECK(form.take().equals("grant_type=x+y&code=c%26d&resource=http%3A%2F%2Fa%2F"));
    CHECK(form.take().empty());
}

TEST_CASE("random tokens come from the given source") {
    const random_source fixed = [](std::size_t n) { return std::string(n, '\0'); };
    CHECK(random_token(fixed, 3) == "AAAA");
    const auto real = system_random();
    CHECK(real(16).size() == 16);
    CHECK(random_token(real) != random_token(real));
}

TEST_CASE("PKCE S256 has the value of RFC 7636 appendix B") {
    CHECK(pkce_challenge(secret{"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}) ==
          "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    const auto pair = make_pkce(system_random());
    CHECK(pair.verifier.size() == 43);
    CHECK(pair.challenge == pkce_challenge(pair.verifier));
}

TEST_CASE("clean text has no control, bidi or zero-width characters and no broken UTF-8") {
    CHECK(clean_text("a\x1b[31mb") == "a[31mb");
    CHECK(clean_text("a\u202eb\u200bc\u2066d\ufeff") == "abcd");
    CHECK(clean_text("a\u00adb\u0085c") == "ab c");
    CHECK(clean_text(std::string_view("a\0b", 3)) == "ab");
    CHECK(clean_text("a\xff\xc3(") == "a\ufffd\ufffd(");
    CHECK(clean_text("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");
    CHECK(clean_text("\U000e0041\u3164x") == "x");
    CHECK(clean_text("grüße 日本 😀") == "grüße 日本 😀");
}

TEST_CASE("clean text joins lines and is capped by characters") {
    CHECK(clean_text("  a\r\n\t b\u2028c  ") == "a b c");
    CHECK(clean_text("ééééé", 3) == "ééé…");
    CHECK(clean_text("abc", 3) == "abc");
    CHECK(clean_text("ab c", 3) == "ab…");
    CHECK(clean_text("ab   ", 2) == "ab");
}

TEST_CASE("HTML is escaped for text and quoted attributes") {
    CHECK(html_escape("<a href=\"x\" b='y'>&") == "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
}

TEST_CASE("hosts are shown in ASCII only") {
    CHECK(display_host("Example.COM") == "example.com");
    CHECK(display_host("bücher.example") == "xn--bcher-kva.example");
    CHECK(display_host("b%C3%BCcher.example") == "xn--bcher-kva.example");
    CHECK(display_host("\u0430pple.com") == "xn--pple-43d.com");
    CHECK(display_host("日本語.jp") == "xn--wgv71a119e.jp");
    CHECK(display_host("a\u3002b") == "a.b");
    CHECK(display_host("127.0.0.1") == "127.0.0.1");
    CHECK(display_host("[::1]") == "[::1]");
}

TEST_CASE("hosts that cannot be shown honestly are not shown") {
    for (const char* bad : {"", "a b", "a\u202eb.com", "\xff.com", "%zz", "a/b", "[x]", "a%00b", "a\nb"})
        CHECK(display_host(bad) == "(invalid host)");
    CHECK(display_host(std::string(2000, 'a')) == "(invalid host)");
    std::string label;
    for (int i = 0; i < 64; ++i)
        label += "ü";
    CHECK(display_host(label) == "(invalid host)");
    std::string late;
    for (int i = 0; i < 63; ++i)
        late += i % 2 ? "\U0010fffd" : "ü";
    CHECK(display_host(late) == "(invalid host)");
    std::string name;
    for (int i = 0; i < 130; ++i)
        name += "a.";
    CHECK(display_host(name) == "(invalid host)");
}

TEST_CASE("punycode agrees with the samples of RFC 3492") {
    CHECK(punycode_label(U"ليهمابتكلموشعربي؟") == "xn--egbpdaj6bu4bxfgehfvwxn");
    CHECK(punycode_label(U"他们为什么不说中文") == "xn--ihqwcrb4cv8a8dqg056pqjye");
    CHECK(punycode_label(U"plain") == "plain");
}

TEST_CASE("UTF-8 is read strictly and written back") {
    for (const char32_t c : {U'a', U'é', U'日', U'😀', char32_t{0x10ffff}}) {
        std::string text;
        append_utf8(text, c);
        std::string_view rest = text;
        CHECK(next_code_point(rest) == c);
        CHECK(rest.empty());
    }
    for (const char* bad : {"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\x80",
                            "\xc3", "\xf8\x88\x80\x80\x80"}) {
        std::string_view rest = bad;
        CHECK_FALSE(next_code_point(rest));
    }
}

TEST_CASE("a failure's words become a sentence; code and names stay as they are") {
    CHECK(as_sentence("nothing listens here") == "Nothing listens here.");
    CHECK(as_sentence("is it on?") == "Is it on?");
    CHECK(as_sentence("`key` is missing") == "`key` is missing.");
    CHECK(as_sentence("mcp-reauth ends") == "mcp-reauth ends.");
    CHECK(as_sentence("a token") == "A token.");
    CHECK(as_sentence("done.") == "Done.");
    CHECK(as_sentence("").empty());
}
