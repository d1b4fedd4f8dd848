// One address for the approvals of several processes: who is asked, what he is told, and what of his answer
// is passed on.
#include "approval_fixture.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/encoding.hpp"
#include "proxy/approval/listener_impl.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"

using namespace approval_test;
using reauth::test::has;

namespace {

constexpr auto their_page = "/a/link-secret-of-aaaa";

/// Another program, at a port that a neighbour had.
class stranger {
public:
    stranger() : service_(io_.get_executor(), [this](service_exchange& x) { return serve(this, &x); }) {
        port = *service_.listen("127.0.0.1", 0);
        thread_ = std::thread([this] { io_.run(); });
    }
    ~stranger() {
        asio::post(io_, [this] {
            service_.stop();
            work_.reset();
        });
        io_.stop();
        thread_.join();
    }
    std::string told() {
        std::promise<std::string> out;
        asio::post(io_, [&] { out.set_value(told_); });
        return out.get_future().get();
    }
    std::uint16_t port = 0;

private:
    static task<void> serve(stranger* self, service_exchange* x) {
        const auto& asked = x->request();
        self->told_ += asked.method + " " + asked.target + " " + asked.body + "\n";
        for (const auto& h : asked.headers)
            self->told_ += h.name + ": " + h.value + "\n";
        service_response r{200, {{"Content-Type", "application/json"}}, R"({"proof":"00"})"};
        co_await x->respond(std::move(r));
    }
    asio::io_context io_{1};
    asio::executor_work_guard<executor> work_{io_.get_executor()};
    http_service service_;
    std::thread thread_;
    std::string told_;
};

/// A port where connections are taken (by the kernel) and nobody ever says a word.
struct stopped_program {
    asio::io_context io;
    asio::ip::tcp::acceptor listens{io, {asio::ip::address_v4::loopback(), 0}};
    std::uint16_t port() const { return listens.local_endpoint().port(); }
};

/// What tells neighbours from strangers, made as they make it.
std::string neighbours_word(const std::string& token) {
    return hex_encode(hmac_sha256(token, "neighbours"));
}

} // namespace

TEST_CASE(
    "a neighbour's approval is shown beside a stranger and one that has stopped, and neither is told a thing",
    "[neighbours]") {
    std::vector<std::uint16_t> there;
    listener_fixture front({}, [&] { return there; });
    listener_fixture behind({}, {}, front.port);
    stranger evil;
    stopped_program stopped;
    there = {stopped.port(), evil.port, behind.port};
    behind.open();
    const auto shown = front.ask("GET", their_page, {{"Cookie", "reauth_flow_0=secret-cookie"}});
    CHECK(shown.status == 200);
    CHECK(shown.shows("Allow more on github?"));
    CHECK(front.ask("GET", "/a/nobody-knows-this").status == 404);
    CHECK(front.ask("GET", "/oauth/callback?code=the-code&state=s").status != 500);
    const auto listed = front.api("GET", "approvals", nullptr).json();
    CHECK(listed["approvals"].size() == 1);
    const auto told = evil.told();
    CHECK(has(told, "GET /api/proof?nonce="));
    for (const auto& secret : {std::string("link-secret"), std::string("secret-cookie"),
                               std::string("the-code"), front.token, neighbours_word(front.token)})
        CHECK_FALSE(has(told, secret));
    CHECK(front.api("POST", "approvals/aaaa/deny").json()["status"] == "denied");
    CHECK(behind.actions.deny_calls == 1);
}

TEST_CASE(
    "what neighbours know each other by opens nothing at everybody's address, and no dashboard anywhere",
    "[neighbours]") {
    listener_fixture front;
    listener_fixture behind({}, {}, front.port);
    const auto word = neighbours_word(front.token);
    const headers as_neighbour{{"X-Mcp-Reauth-Neighbour", word}, {"Authorization", "Bearer " + word}};
    for (const auto* target : {"/api/open", "/api/approvals", "/api/credentials"})
        CHECK(front.ask(has(target, "open") ? "POST" : "GET", target, as_neighbour).status == 404);
    CHECK(front.ask("POST", "/api/open", {{"Authorization", "Bearer " + word}}).status == 401);
    auto at_its_port = as_neighbour;
    at_its_port.emplace_back("Host", "127.0.0.1:" + std::to_string(front.port));
    CHECK(behind.ask("GET", "/api/approvals", at_its_port).status == 200);
    CHECK(behind.ask("POST", "/api/open", at_its_port).status == 404);
    CHECK(behind.ask("POST", "/open/redeem", at_its_port).status == 404);
    // without the word nothing is there, whatever else is right
    CHECK(behind
              .ask("GET", "/api/approvals",
                   {{"Authorization", behind.bearer()}, {"Host", "127.0.0.1:" + std::to_string(front.port)}})
              .status == 404);
}

TEST_CASE("a proof is for the address that was asked, and says nothing of the token", "[neighbours]") {
    listener_fixture front;
    listener_fixture behind({}, {}, front.port);
    const std::string nonce(64, 'a');
    const auto own = front.ask("GET", "/api/proof?nonce=" + nonce).json()["proof"];
    const auto local =
        front.ask("GET", "/api/proof?nonce=" + nonce, {{"Host", "localhost:" + std::to_string(front.port)}})
            .json()["proof"];
    const auto theirs = behind.ask("GET", "/api/proof?nonce=" + nonce).json()["proof"];
    CHECK(own.is_string());
    CHECK(own != local);
    CHECK(own != theirs);
    CHECK(front.ask("GET", "/api/proof?nonce=" + nonce, {{"Host", "evil.example"}}).status == 403);
    CHECK(front.ask("GET", "/api/proof?nonce=short").status == 400);
    CHECK(front.ask("POST", "/api/proof?nonce=" + nonce).status == 405);
}

TEST_CASE("a neighbour's answer goes out under our own head", "[neighbours]") {
    http_response from;
    from.status = 303;
    from.headers = {{"Content-Type", "text/html"},
                    {"Location", "javascript:alert(1)"},
                    {"Set-Cookie", "session=1; Domain=example.com"},
                    {"Set-Cookie", "reauth_flow_ab=1; Path=/oauth/callback"},
                    {"X-Frame-Options", "ALLOWALL"},
                    {"Content-Security-Policy",
                     "default-src *; form-action 'self' https://as.example https://x;script-src *"},
                    {"Link", "<https://evil.example>; rel=preload"}};
    from.body = "<b>";
    auto out = own_answer(from);
    const auto all = [&](const std::string& name) {
        std::string text;
        for (const auto& h : out.headers)
            if (h.name == name)
                text += h.value + "|";
        return text;
    };
    CHECK(all("Location").empty());
    CHECK(all("Link").empty());
    CHECK(all("Set-Cookie") == "reauth_flow_ab=1; Path=/oauth/callback|");
    CHECK(all("X-Frame-Options") == "DENY|");
    CHECK(all("Content-Type") == "text/plain; charset=utf-8|");
    const auto policy = all("Content-Security-Policy");
    CHECK(has(policy, "default-src 'none'"));
    CHECK(has(policy, "form-action 'self' https://as.example https://x;"));
    CHECK_FALSE(has(policy, "*"));
    for (const auto* good : {"https://as.example/authorize?x=1", "/a/link"}) {
        from.headers = {{"Location", good}};
        out = own_answer(from);
        CHECK(all("Location") == std::string(good) + "|");
    }
    for (const auto* bad : {"//evil.example/", "/\\evil.example", "data:text/html,x", "https://a\"b/", ""}) {
        from.headers = {{"Location", bad}};
        out = own_answer(from);
        CHECK(all("Location").empty());
    }
}

TEST_CASE("a neighbour that answers with 400,000 levels is one that said nothing", "[neighbours]") {
    CHECK_FALSE(read_json("{\"approvals\":" + std::string(400'000, '[') + std::string(400'000, ']') + "}",
                          api_answer));
}
