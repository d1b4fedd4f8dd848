// What the fetcher sends and accepts over plain HTTP on loopback, and how it bears bad servers.
#include "tests/integration/fetcher_fixture.hpp"
#include "tests/support/text.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

void check_broken(const std::string& answer, const std::string& word) {
    scripted_server server(always(answer));
    const auto why = failed(fetched(get(server.url())));
    INFO(why.message);
    CHECK(why.code == fault::authorization_server_unavailable);
    CHECK(has(why.message, word));
}

} // namespace

TEST_CASE("a GET arrives with our defaults and the answer is whole") {
    scripted_server server(always(answer_of(200, R"({"a":1})", "X-Kind: metadata\r\n")));
    const auto answer = fetched(get(server.url("/.well-known/x?y=%20z")));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->body == R"({"a":1})");
    CHECK(answer->header("x-kind") == "metadata");
    const auto request = server.requests().at(0);
    CHECK(has(request, "GET /.well-known/x?y=%20z HTTP/1.1\r\n"));
    CHECK(has(request, "Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
    CHECK(has(request, "Accept: application/json\r\n"));
    CHECK(has(request, "User-Agent: mcp-reauth/"));
    CHECK(has(request, "Connection: close\r\n"));
}

TEST_CASE("a POST carries body, authorization and its own headers") {
    scripted_server server(always(answer_of(400, R"({"error":"invalid_grant"})")));
    auto request = post(server.url("/token"), "grant_type=refresh_token");
    request.authorization = secret("Basic abc");
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "text/plain"}};
    const auto answer = fetched(request);
    REQUIRE(answer.has_value());
    CHECK(answer->status == 400);
    const auto seen = server.requests().at(0);
    CHECK(has(seen, "Authorization: Basic abc\r\n"));
    CHECK(has(seen, "Content-Type: application/x-www-form-urlencoded\r\n"));
    CHECK(has(seen, "Accept: text/plain\r\n"));
    CHECK_FALSE(has(seen, "application/json"));
    CHECK(has(seen, "\r\n\r\ngrant_type=refresh_token"));
}

TEST_CASE("localhost is found on either address family") {
    const auto family = GENERATE("127.0.0.1", "::1");
    scripted_server server(always(answer_of(200, "{}")), {}, family);
    CHECK(fetched(get(server.url("/", "localhost"))).has_value());
}

TEST_CASE("interim answers are skipped") {
    scripted_server server(always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
                                  answer_of(200, "{}")));
    const auto answer = fetched(get(server.url()));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK_FALSE(answer->header("link").has_value());
}

TEST_CASE("chunked answers and answers that end with the connection are read") {
    scripted_server chunked(always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Status: forged\r\n\r\n"));
    const auto first = fetched(get(chunked.url()));
    REQUIRE(first.has_value());
    CHECK(first->body == "{}");
    CHECK_FALSE(first->header("x-status").has_value());
    scripted_server closing(always("HTTP/1.0 200 OK\r\n\r\n{\"a\":2}"));
    CHECK(fetched(get(closing.url()))->body == "{\"a\":2}");
}

TEST_CASE("a broken answer is told, not guessed at") {
    check_broken("", "closed before");
    check_broken("HTTP/1.1 200 OK\r\nContent-Le", "closed before");
    check_broken("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "closed before");
    check_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", "closed before");
    check_broken("\x16\x03\x01 nonsense\r\n\r\n", "cannot be used");
    check_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}", "transfer coding");
    check_broken(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "cannot be used");
    check_broken("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "switches protocols");
    std::string endless;
    for (int i = 0; i < 30; ++i)
        endless += "HTTP/1.1 100 Continue\r\n\r\n";
    check_broken(endless, "interim");
    check_broken("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n", "cannot be used");
}

TEST_CASE("a body over the limit is refused, announced or not") {
    const std::string large(300 * 1024, 'x');
    for (const auto& answer : {answer_of(200, large), "HTTP/1.1 200 OK\r\n\r\n" + large}) {
        scripted_server server(always(answer));
        const auto why = failed(fetched(get(server.url())));
        CHECK(has(why.message, "larger than 256 KiB"));
        CHECK_FALSE(why.transient);
    }
    scripted_server exact(always(answer_of(200, std::string(256 * 1024, 'x'))));
    CHECK(fetched(get(exact.url())).has_value());
}

TEST_CASE("a stalled server is given up at the deadline") {
    scripted_server server(always("stall"));
    fetch_options options;
    options.timeout = 50ms;
    const auto why = failed(fetched(get(server.url()), options));
    CHECK(why.code == fault::authorization_server_unavailable);
    CHECK(why.transient);
    CHECK(has(why.message, "no answer from 127.0.0.1 within 50 ms"));
}

TEST_CASE("a stalled name resolution is given up at the deadline") {
    struct never {
        static task<result<std::vector<asio::ip::address>>> look(std::shared_ptr<loop_timer> timer) {
            error_code woken;
            co_await timer->async_wait(asio::redirect_error(use_task, woken));
            co_return unreachable_failure("too late");
        }
    };
    auto resolve = [](std::string) -> task<result<std::vector<asio::ip::address>>> {
        auto ex = co_await asio::this_coro::executor;
        auto timer = std::make_shared<loop_timer>(ex, 150ms);
        auto waiting = never::look(timer);
        co_return co_await std::move(waiting);
    };
    fetch_options options;
    options.timeout = 20ms;
    const auto why = failed(fetched(get("https://as.example/"), options, resolve));
    CHECK(has(why.message, "no answer from as.example"));
}

TEST_CASE("a refused connection names every address that was tried") {
    std::uint16_t free_port = 0;
    {
        asio::io_context context;
        tcp::acceptor taken(context, {asio::ip::address_v4::loopback(), 0});
        free_port = taken.local_endpoint().port();
    }
    const auto why = failed(fetched(get("http://localhost:" + std::to_string(free_port) + "/")));
    CHECK(why.transient);
    CHECK(has(why.message, "127.0.0.1: "));
    CHECK(has(why.message, "[::1]: "));
}

TEST_CASE("a request that would break its own framing is not sent") {
    scripted_server server(always(answer_of(200, "{}")));
    auto smuggling = get(server.url());
    smuggling.headers = {{"X-A", "b\r\nX-C: d"}};
    CHECK(failed(fetched(smuggling)).code == fault::internal);
    auto forged = get(server.url());
    forged.authorization = secret("Bearer x\r\nX: y");
    CHECK(failed(fetched(forged)).code == fault::internal);
    auto method = get(server.url());
    method.method = "GET / HTTP/1.1\r\nX: y";
    CHECK(failed(fetched(method)).code == fault::internal);
    for (const auto* url :
         {"http://127.0.0.1/a b", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "no url", ""})
        CHECK(fetched(get(url)).has_error());
    CHECK(server.requests().empty());
}
