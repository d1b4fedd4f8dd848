// The heads that are sent on: what belongs to one hop or to us stays here, the rest goes byte for byte.
#include "core/http/http_head.hpp"

#include "tests/support/catch.hpp"

#include <string>

using namespace reauth;

namespace {

std::string sent_on(const std::string& fields, request_rewrite rewrite = {}) {
    const std::string text = "POST /github/x HTTP/1.1\r\nHost: 127.0.0.1:8970\r\n" + fields + "\r\n";
    request_head head;
    REQUIRE(parse_request_head(text, head).is == head_outcome::kind::complete);
    if (rewrite.target.empty())
        rewrite.target = "/mcp/x";
    rewrite.host = "api.example";
    std::string out;
    write_request_head(head, rewrite, out);
    return out;
}

std::string given_back(const std::string& fields, response_rewrite rewrite = {}) {
    const std::string text = "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
    response_head head;
    REQUIRE(parse_response_head(text, false, head).is == head_outcome::kind::complete);
    std::string out;
    write_response_head(head, rewrite, out);
    return out;
}

const std::string start = "POST /mcp/x HTTP/1.1\r\nHost: api.example\r\n";

} // namespace

TEST_CASE("request line and Host are the upstream's; unknown fields go byte for byte") {
    CHECK(sent_on("x-ODD:   1 \r\nMcp-Session-Id: s\r\nMCP-Protocol-Version: 2025-11-25\r\nLast-Event-ID: "
                  "7\r\nAccept: */*\r\n") ==
          start + "x-ODD:   1 \r\nMcp-Session-Id: s\r\nMCP-Protocol-Version: 2025-11-25\r\nLast-Event-ID: "
                  "7\r\nAccept: */*\r\n\r\n");
}

TEST_CASE("hop-by-hop fields and what Connection names stay here") {
    CHECK(sent_on("Connection: keep-alive, X-Mine, x-other\r\nx-mine: 1\r\nX-Other: 2\r\nX-Third: "
                  "3\r\nKeep-Alive: timeout=5\r\n"
                  "Proxy-Connection: close\r\nProxy-Authorization: Basic eA==\r\nTE: trailers\r\nTrailer: "
                  "X-T\r\nUpgrade: h2c\r\n"
                  "HTTP2-Settings: x\r\nExpect: 100-continue\r\n") == start + "X-Third: 3\r\n\r\n");
}

TEST_CASE("framing fields can't be nominated away") {
    CHECK(sent_on("Connection: Content-Length\r\nContent-Length: 5\r\n") ==
          start + "Content-Length: 5\r\n\r\n");
    CHECK(sent_on("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n") ==
          start + "Transfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("the client's Authorization and proofs are dropped and ours is sent") {
    request_rewrite ours;
    ours.credential = "Authorization: Bearer ours\r\n";
    CHECK(sent_on("authorization: Bearer theirs\r\nDPoP: proof\r\n", ours) ==
          start + "Authorization: Bearer ours\r\n\r\n");
    CHECK(sent_on("Authorization: Bearer theirs\r\n") == start + "\r\n");
    request_rewrite pass;
    pass.keep_authorization = true;
    CHECK(sent_on("Authorization: Bearer theirs\r\nDPoP: p\r\n", pass) ==
          start + "Authorization: Bearer theirs\r\nDPoP: p\r\n\r\n");
}

TEST_CASE("cookies pass only where that is configured") {
    CHECK(sent_on("Cookie: a=b\r\ncookie: c=d\r\n") == start + "\r\n");
    request_rewrite pass;
    pass.keep_cookies = true;
    CHECK(sent_on("Cookie: a=b\r\n", pass) == start + "Cookie: a=b\r\n\r\n");
    CHECK(
        given_back("Content-Length: 0\r\nCache-Control: no-store\r\nSet-Cookie: a=b\r\nset-cookie2: c\r\n") ==
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: no-store\r\n\r\n");
    response_rewrite keep;
    keep.keep_cookies = true;
    CHECK(given_back("Content-Length: 0\r\nCache-Control: no-store\r\nSet-Cookie: a=b\r\n", keep) ==
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: no-store\r\nSet-Cookie: a=b\r\n\r\n");
}

TEST_CASE("configured headers replace the client's, in any case") {
    request_rewrite r;
    r.injected = "X-Org: acme\r\n";
    r.replaced = "X-Org";
    CHECK(sent_on("x-org: mallory\r\nX-Organ: 1\r\n", r) == start + "X-Org: acme\r\nX-Organ: 1\r\n\r\n");
}

TEST_CASE("configured headers also replace the client's where the field is one we know") {
    request_rewrite r;
    r.injected = "Accept-Encoding: identity\r\nOrigin: https://acme.example\r\n";
    r.replaced = "Accept-Encoding,Origin";
    CHECK(sent_on("Accept-Encoding: gzip\r\nOrigin: http://localhost\r\n", r) ==
          start + "Accept-Encoding: identity\r\nOrigin: https://acme.example\r\n\r\n");
}

TEST_CASE("identity encoding replaces what the client accepts") {
    request_rewrite r;
    r.identity_encoding = true;
    CHECK(sent_on("Accept-Encoding: gzip\r\naccept-encoding: br\r\n", r) ==
          start + "Accept-Encoding: identity\r\n\r\n");
    CHECK(sent_on("Accept-Encoding: gzip\r\n") == start + "Accept-Encoding: gzip\r\n\r\n");
}

TEST_CASE("an answer goes back without what belongs to the hop") {
    CHECK(given_back("Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: "
                     "timeout=5\r\nTransfer-Encoding: chunked\r\n"
                     "Trailer: X\r\nUpgrade: h2\r\nProxy-Authenticate: Basic\r\nContent-Encoding: "
                     "gzip\r\nMcp-Session-Id: s\r\n"
                     "Cache-Control: no-cache\r\n") ==
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\nMcp-Session-Id: "
          "s\r\nCache-Control: no-cache\r\n\r\n");
}

TEST_CASE("an answer without Cache-Control becomes private") {
    CHECK(given_back("Content-Length: 0\r\n") ==
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: private\r\n\r\n");
    CHECK(given_back("cache-control: public\r\nContent-Length: 0\r\n") ==
          "HTTP/1.1 200 OK\r\ncache-control: public\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("challenges stay here unless the policy passes them") {
    CHECK(
        given_back(
            "Cache-Control: x\r\nWWW-Authenticate: Bearer\r\nwww-authenticate: Basic\r\nDPoP-Nonce: n\r\n") ==
        "HTTP/1.1 200 OK\r\nCache-Control: x\r\n\r\n");
    response_rewrite pass;
    pass.keep_challenge = true;
    CHECK(given_back("Cache-Control: x\r\nWWW-Authenticate: Bearer\r\nDPoP-Nonce: n\r\n", pass) ==
          "HTTP/1.1 200 OK\r\nCache-Control: x\r\nWWW-Authenticate: Bearer\r\nDPoP-Nonce: n\r\n\r\n");
}

TEST_CASE("for an old client the chunked coding goes and the connection closes") {
    response_rewrite r;
    r.drop_transfer_encoding = r.close = true;
    CHECK(given_back("Transfer-Encoding: chunked\r\nCache-Control: x\r\n", r) ==
          "HTTP/1.1 200 OK\r\nCache-Control: x\r\nConnection: close\r\n\r\n");
}
