// Scope sets, failures, secrets and header lookup.
#include "core/base/failure.hpp"
#include "core/base/secret.hpp"
#include "core/http/http_message.hpp"
#include "core/oauth/scope.hpp"

#include "tests/unit/core/printing.hpp"
#include <sstream>

using namespace reauth;

TEST_CASE("scopes keep first-seen order without duplicates") {
    const auto s = scope_set::parse("  read write  read ");
    CHECK(s.to_string() == "read write");
    CHECK(s == scope_set{"write", "read"});
    CHECK_FALSE(s == scope_set{"read"});
    CHECK_FALSE(s == scope_set{"read", "admin"});
}

TEST_CASE("scope tokens with forbidden characters are dropped") {
    CHECK(scope_set::parse("a\"b c\\d e\x7f f\n g").to_string() == "g");
    CHECK(valid_scope_token("repo:read/*"));
    CHECK_FALSE(valid_scope_token(""));
    CHECK_FALSE(valid_scope_token("é"));
    CHECK(valid_scope_token(std::string(256, 'a')));
    CHECK_FALSE(valid_scope_token(std::string(257, 'a')));
}

TEST_CASE("a hostile scope set has a cap") {
    std::string text;
    for (int i = 0; i < 5000; ++i)
        text += std::to_string(i) + " ";
    CHECK(scope_set::parse(text).size() == 256);
}

TEST_CASE("scopes unite, subtract and cover") {
    const scope_set held{"a", "b"};
    const scope_set asked{"b", "c"};
    CHECK(held.united_with(asked).to_string() == "a b c");
    CHECK(asked.without(held).to_string() == "c");
    CHECK(held.covers({"b"}));
    CHECK_FALSE(held.covers(asked));
    CHECK(held.covers({}));
    scope_set s;
    CHECK(s.add("x"));
    CHECK_FALSE(s.add("x"));
    CHECK_FALSE(s.add("x y"));
}

TEST_CASE("globs match whole names") {
    CHECK(glob_match("*", ""));
    CHECK(glob_match("admin:*", "admin:"));
    CHECK(glob_match("*:read", "repo:x:read"));
    CHECK(glob_match("a?c*e", "abcdde"));
    CHECK(glob_match("**", "x"));
    CHECK_FALSE(glob_match("admin:*", "xadmin:a"));
    CHECK_FALSE(glob_match("a", "ab"));
    CHECK_FALSE(glob_match("a?", "a"));
    CHECK_FALSE(glob_match("*a", "b"));
    CHECK(glob_match("", ""));
    CHECK_FALSE(glob_match("", "a"));
}

TEST_CASE("globs of stars do not take exponential time") {
    CHECK_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*a*b", std::string(3000, 'a')));
}

TEST_CASE("header names compare without case and the first field wins") {
    const http_response r{200, {{"Content-Type", "a"}, {"content-type", "b"}}, {}};
    CHECK(r.header("CONTENT-TYPE") == "a");
    CHECK_FALSE(r.header("x"));
}

TEST_CASE("every fault has its own stable word") {
    const std::pair<fault, const char*> words[] = {
        {fault::approval_required, "approval_required"},
        {fault::approval_denied, "approval_denied"},
        {fault::approval_timeout, "approval_timeout"},
        {fault::denied_by_policy, "denied_by_policy"},
        {fault::insufficient_scope, "insufficient_scope"},
        {fault::issuer_not_pinned, "issuer_not_pinned"},
        {fault::issuer_changed, "issuer_changed"},
        {fault::reauth_failed, "reauth_failed"},
        {fault::authorization_server_unavailable, "authorization_server_unavailable"},
        {fault::discovery_failed, "discovery_failed"},
        {fault::upstream_unreachable, "upstream_unreachable"},
        {fault::upstream_timeout, "upstream_timeout"},
        {fault::upstream_malformed, "upstream_malformed"},
        {fault::request_not_replayable, "request_not_replayable"},
        {fault::egress_refused, "egress_refused"},
        {fault::overloaded, "overloaded"},
        {fault::vault_unavailable, "vault_unavailable"},
        {fault::invalid_configuration, "invalid_configuration"},
        {fault::internal, "internal"},
    };
    for (const auto& [f, word] : words)
        CHECK(to_string(f) == word);
    CHECK(failure::permanent(fault::internal, "broken").describe() == "broken");
    CHECK(failure::permanent(fault::internal, "broken", "mend it").describe() == "broken — mend it");
    const result<int> r = failure::permanent(fault::internal, "broken");
    CHECK_THROWS_WITH(r.value(), "broken");
}

TEST_CASE("a secret does not print, and compares by value") {
    secret a{"hunter2"};
    std::ostringstream out;
    out << a;
    CHECK(out.str() == "[redacted]");
    const secret b = a;
    CHECK(a == b);
    CHECK_FALSE(a == secret{"hunter3"});
    CHECK_FALSE(a.equals("hunter"));
    secret c{"x"};
    c = a;
    CHECK(c.reveal() == "hunter2");
    c = *&c;
    CHECK(c.size() == 7);
    secret d = std::move(c);
    CHECK(c.empty());
    c = std::move(d);
    CHECK(d.empty());
    CHECK(c.equals("hunter2"));
}
