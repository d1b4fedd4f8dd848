// The client verbs against an approval API of the test's own.
#include "proxy/approval/operator_proof.hpp"
#include "proxy/cli/cli.hpp"
#include "proxy/net/http_service.hpp"
#include "tests/support/text.hpp"

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

#include <future>
#include <sstream>
#include <thread>

using namespace reauth;
using reauth::test::has;

namespace {

constexpr auto operator_secret = "operator-0123456789abcdef";

/// Answers like the approval listener; keeps what was asked.
class fake_api {
public:
    fake_api() : service_(context_.get_executor(), [this](service_exchange& x) { return serve(this, &x); }) {
        port = *service_.listen("127.0.0.1", 0);
        thread_ = std::thread([this] { context_.run(); });
    }
    ~fake_api() {
        std::promise<void> stopped;
        asio::post(context_, [&] {
            service_.stop();
            work_.reset();
            stopped.set_value();
        });
        stopped.get_future().wait();
        context_.stop();
        thread_.join();
    }

    std::uint16_t port = 0;
    std::vector<std::string> seen; ///< read it after the verb has returned
    std::string told;              ///< all that it was sent
    std::string knows = operator_secret, proves_for;
    unsigned proof_status = 200;

private:
    static task<void> serve(fake_api* self, service_exchange* x) {
        const auto& request = x->request();
        service_response r;
        r.headers = {{"Content-Type", "application/json"}};
        for (const auto& h : request.headers)
            self->told += h.name + ": " + h.value + "\n";
        self->told += request.method + " " + request.target + " " + request.body + "\n";
        if (request.path == proof_path) {
            const auto nonce = proof_nonce(request.query).value_or("");
            const auto host = self->proves_for.empty() ? std::string(request.header("host").value_or(""))
                                                       : self->proves_for;
            r.body = nlohmann::json{{"proof", operator_proof(secret(self->knows), host, nonce)}}.dump();
            r.status = self->proof_status;
            co_await x->respond(std::move(r));
            co_return;
        }
        if (request.header("authorization").value_or("") != std::string("Bearer ") + operator_secret) {
            r.status = 401;
            r.body = R"({"error":"unauthorized"})";
        } else {
            self->seen.push_back(request.method + " " + request.path + " " + request.body);
            self->answer(request, r);
        }
        co_await x->respond(std::move(r));
    }

    void answer(const service_request& request, service_response& r) {
        const auto& p = request.path;
        if (p == "/api/events") {
            r.headers = {{"Content-Type", "text/event-stream"}};
            r.body = ": hello\n\nevent: credentials\ndata: {}\n\n"
                     "event: approvals\ndata: {\"approvals\":[{\"id\":\"a1\",\"upstream\":\"notes\"}]}\n\n"
                     "event: approvals\ndata: {\"approvals\":[{\"id\":\"a1\",\"upstream\":\"notes\"},"
                     "{\"id\":\"b2\",\"upstream\":\"files\"}]}\n\n";
        } else if (p == "/api/approvals")
            r.body =
                R"({"approvals":[{"id":"ab12","status":"pending","kind":"login","upstream":"notes",)"
                R"("scopes":{"granted":[],"requested":["read"],"added":["read"]},"tool":"","principal":"local",)"
                R"("expires_at":"2999-01-01T00:00:00Z","link":"http://127.0.0.1/a/x"}]})";
        else if (p == "/api/credentials")
            r.body =
                R"({"credentials":[{"upstream":"notes","principal":"local","grant":"authorization_code",)"
                R"("held":true,"renewable":true,"scopes":["read"],"expires_at":"2999-01-01T00:00:00Z",)"
                R"("last_recovery":"refresh","last_outcome":"reauth_failed","last_outcome_detail":"It said no."}]})";
        else if (p == "/api/login")
            r.body = R"({"id":"ab12","link":"http://127.0.0.1/a/x"})";
        else if (p == "/api/approvals/ab12/approve")
            r.body = R"({"status":"redirect","location":"https://as.example/authorize?state=1"})";
        else if (p == "/api/approvals/ab12/deny")
            r.body = R"({"status":"denied"})";
        else if (p == "/api/approvals/ab12")
            r.body = polls_++ < 1 ? R"({"id":"ab12","status":"authorizing"})"
                                  : R"({"id":"ab12","status":"approved","outcome":"It worked."})";
        else if (p == "/api/approvals/cd34")
            r.body =
                R"({"id":"cd34","status":"pending","kind":"call","upstream":"notes","client":"cursor",)"
                R"("tool":"delete","method":"tools/call","principal":"local","arguments":"{\n  \"id\": 7\n}",)"
                R"("warnings":["Look twice."]})";
        else if (p == "/api/rules")
            r.body = R"({"rules":[{"id":"ef56","rule":"{name: remembered ef56, action: silent}",)"
                     R"("created_at":"2000-01-01T00:00:00Z"}]})";
        else if (p == "/api/rules/ef56/revoke")
            r.body = R"({"status":"done"})";
        else if (p == "/api/history")
            r.body =
                R"({"history":[{"at":"2000-01-01T00:00:00Z","upstream":"notes","how":"refresh","took_ms":12,)"
                R"("code":"ok","client":"cursor","approval":""},{"at":"2000-01-01T00:00:00Z","upstream":"notes",)"
                R"("how":"call approved","took_ms":65000,"code":"ok","client":"","approval":"cd34"}]})";
        else if (p == "/api/open")
            r.body = R"({"link":"http://127.0.0.1/open#once"})";
        else if (p == "/api/logout")
            r.body = R"({"status":"done"})";
        else if (p == "/api/callback")
            r.body =
                request.body.find("code=good") != std::string::npos
                    ? R"({"ok":true,"title":"Done","detail":"","approval_id":"ab12"})"
                    : R"({"ok":false,"title":"Not accepted","detail":"The state is unknown.","approval_id":""})";
        else {
            r.status = 404;
            r.body =
                R"({"error":"not_found","message":"There is no approval with this id.","fix":"List them."})";
        }
    }

    asio::io_context context_{1};
    asio::executor_work_guard<executor> work_{context_.get_executor()};
    http_service service_;
    std::thread thread_;
    int polls_ = 0;
};

struct cli_outcome {
    int code;
    std::string out, err;
};

cli_outcome run(std::uint16_t port, std::vector<std::string> arguments, std::string input = {},
                std::string token = operator_secret) {
    std::ostringstream out, err;
    std::istringstream in(std::move(input));
    config_inputs inputs{{},
                         {{"HOME", "/nonexistent"},
                          {"MCP_REAUTH_APPROVAL_LISTEN", "127.0.0.1:" + std::to_string(port)},
                          {"MCP_REAUTH_APPROVAL_TOKEN", std::move(token)}},
                         false};
    const int code = run_cli(arguments, {out, err, in, std::move(inputs), false});
    return {code, out.str(), err.str()};
}

} // namespace

TEST_CASE("cli: one approval is shown with who asks and the arguments") {
    fake_api api;
    const auto one = run(api.port, {"approvals", "cd34"});
    CHECK(one.code == 0);
    for (const auto* part : {"call", "cursor", "delete", "WARNING", "Look twice.", "      \"id\": 7"})
        CHECK(has(one.out, part));
    CHECK(nlohmann::json::parse(run(api.port, {"approvals", "cd34", "--json"}).out)["tool"] == "delete");
}

TEST_CASE("cli: remembered rules are listed as the YAML they equal, and revoked") {
    fake_api api;
    CHECK(has(run(api.port, {"rules"}).out, "- {name: remembered ef56, action: silent}  # ef56"));
    const auto gone = run(api.port, {"rules", "--revoke", "ef56"});
    CHECK(gone.code == 0);
    CHECK(has(api.seen.back(), "POST /api/rules/ef56/revoke"));
    CHECK(nlohmann::json::parse(run(api.port, {"rules", "--json"}).out)["rules"].size() == 1);
}

TEST_CASE("cli: the history tells what happened, how long it took, and that of one approval") {
    fake_api api;
    const auto all = run(api.port, {"history"});
    for (const auto* part : {"refresh", "12 ms", "cursor", "call approved", "65 s"})
        CHECK(has(all.out, part));
    CHECK_FALSE(has(run(api.port, {"history", "cd34"}).out, "refresh"));
    CHECK(nlohmann::json::parse(run(api.port, {"history", "--json"}).out)["history"].size() == 2);
}

TEST_CASE("cli: approvals are listed, approved and denied") {
    fake_api api;
    const auto list = run(api.port, {"approvals"});
    CHECK(list.code == 0);
    CHECK(has(list.out, "ab12  notes     login  read"));
    CHECK(nlohmann::json::parse(run(api.port, {"approvals", "--json"}).out)["approvals"].size() == 1);
    CHECK(run(api.port, {"approve", "ab12", "--print-url"}).out == "https://as.example/authorize?state=1\n");
    CHECK(has(run(api.port, {"approve", "ab12"}).out, "Open this to log in"));
    CHECK(run(api.port, {"deny", "ab12"}).out == "Denied.\n");
    const auto unknown = run(api.port, {"deny", "../x y"});
    CHECK(unknown.code == 1);
    CHECK(has(unknown.err, "There is no approval with this id."));
    CHECK(has(api.seen.back(), "/api/approvals/..%2Fx%20y/deny"));
}

TEST_CASE("cli: status shows what is held and what went wrong") {
    fake_api api;
    const auto r = run(api.port, {"status"});
    CHECK(r.code == 0);
    CHECK(has(r.out, "valid, renewable"));
    CHECK(has(r.out, "notes: reauth_failed: It said no."));
    CHECK(has(r.out, "1 question waits"));
    CHECK(nlohmann::json::parse(run(api.port, {"status", "--json"}).out)["waiting"] == 1);
}

TEST_CASE("cli: login prints the URL alone on stdout and waits for the outcome") {
    fake_api api;
    const auto r = run(api.port, {"login", "notes"});
    CHECK(r.code == 0);
    CHECK(r.out == "https://as.example/authorize?state=1\nLogged in to notes. It worked.\n");
    CHECK(has(api.seen.front(), R"("upstream":"notes")"));
}

TEST_CASE("cli: a pasted callback URL finishes a login") {
    fake_api api;
    CHECK(run(api.port, {"login", "notes", "--paste", "http://127.0.0.1/oauth/callback?code=good"}).code ==
          0);
    CHECK(run(api.port, {"login", "notes", "--paste", "-"}, "http://127.0.0.1/oauth/callback?code=good\n")
              .code == 0);
    const auto refused = run(api.port, {"login", "notes", "--paste", "code=bad"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "The state is unknown."));
}

TEST_CASE("cli: logout and open") {
    fake_api api;
    CHECK(run(api.port, {"logout", "notes"}).out == "Logged out of notes.\n");
    CHECK(run(api.port, {"logout", "--all"}).out == "Logged out of everything.\n");
    CHECK(run(api.port, {"logout", "--all", "notes"}).code == 2);
    CHECK(run(api.port, {"logout"}).code == 2);
    CHECK(run(api.port, {"open"}).out == "http://127.0.0.1/open#once\n");
}

TEST_CASE("cli: no verb tells its token to a stranger at the proxy's address") {
    const std::vector<std::vector<std::string>> verbs{
        {"status"},       {"approvals"}, {"approvals", "--watch"}, {"approve", "ab12"},
        {"deny", "ab12"}, {"open"},      {"login", "notes"},       {"logout", "notes"},
        {"rules"},        {"history"},   {"approvals", "x"},       {"rules", "--revoke", "ef56"}};
    const auto tries = [&](fake_api& stranger) {
        for (const auto& verb : verbs) {
            INFO(verb.front());
            const auto r = run(stranger.port, verb);
            CHECK(r.code != 0);
            CHECK(has(r.err, "could not prove that it knows the operator token"));
            CHECK_FALSE(has(r.err, operator_secret));
        }
        CHECK(has(stranger.told, "GET /api/proof?nonce="));
        CHECK_FALSE(has(stranger.told, operator_secret));
        CHECK_FALSE(has(stranger.told, "uthorization"));
        CHECK_FALSE(has(stranger.told, "/ab12"));
        CHECK(stranger.seen.empty());
    };
    fake_api guesses;
    guesses.knows = "another-0123456789abcdef";
    tries(guesses);
    fake_api other_program;
    other_program.proof_status = 404;
    tries(other_program);
    // one that passes the question on to the real proxy, which listens elsewhere
    fake_api relays;
    relays.proves_for = "127.0.0.1:1";
    tries(relays);
}

TEST_CASE("cli: a wrong operator token is told from a proxy that does not run") {
    std::uint16_t free_port = 0;
    {
        fake_api api;
        const auto wrong = run(api.port, {"status"}, {}, "wrong-0123456789abcdef");
        CHECK(wrong.code == 2);
        CHECK(has(wrong.err, "could not prove that it knows the operator token"));
        CHECK_FALSE(has(wrong.err, "wrong-0123456789abcdef"));
        free_port = api.port;
    }
    const auto nothing = run(free_port, {"approvals"});
    CHECK(nothing.code == 1);
    CHECK(has(nothing.err, "Nothing listens on 127.0.0.1:" + std::to_string(free_port)));
    CHECK(has(nothing.err, "Start `mcp-reauth serve`"));
}

TEST_CASE("cli: approvals --watch prints each approval once, as it comes, and ends with the proxy") {
    fake_api api;
    const auto watched = run(api.port, {"approvals", "--watch", "--json"});
    CHECK(watched.out.starts_with(
        "{\"id\":\"a1\",\"upstream\":\"notes\"}\n{\"id\":\"b2\",\"upstream\":\"files\"}\n{"));
    CHECK(has(watched.out, "the proxy has ended"));
    CHECK(watched.code == 1);
    CHECK(api.seen == std::vector<std::string>{"GET /api/events "});
    const auto wrong = run(api.port, {"approvals", "--watch"}, {}, "wrong-0123456789abcdef");
    CHECK(wrong.code == 2);
    CHECK(has(wrong.err, "could not prove that it knows the operator token"));
}
