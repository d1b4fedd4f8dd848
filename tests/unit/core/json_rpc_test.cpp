// The shallow look at JSON-RPC bodies, and the errors we answer with.
#include "core/mcp/json_rpc.hpp"

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

using namespace reauth;
using nlohmann::json;

namespace {

rpc_message one(const std::string& body) {
    const auto parsed = parse_rpc(body);
    REQUIRE(parsed.valid);
    REQUIRE(parsed.messages.size() == 1);
    return parsed.messages[0];
}

bool valid(const std::string& body) {
    const auto parsed = parse_rpc(body);
    CHECK((parsed.valid || parsed.messages.empty()));
    return parsed.valid;
}

} // namespace

TEST_CASE("ids are kept as JSON text, number and string apart") {
    CHECK(one(R"({"jsonrpc":"2.0","id":7,"method":"ping"})").id == "7");
    CHECK(one(R"({"id":"7","method":"ping"})").id == "\"7\"");
    CHECK(one(R"({"id":-3,"method":"ping"})").id == "-3");
    CHECK(one(R"({"id":1.50,"method":"ping"})").id == "1.50");
    CHECK(one(R"({"id":"a\"\u00e4\n","method":"ping"})").id == "\"a\\\"\u00e4\\n\"");
    CHECK(one(R"({"id":123456789012345678901234567890,"method":"ping"})").id ==
          "123456789012345678901234567890");
    CHECK(one(R"({"id":null,"method":"ping"})").is_notification());
    CHECK(one(R"({"method":"ping"})").is_notification());
    CHECK(one(R"({"id":7,"result":{}})").is_response());
    CHECK(one(R"({"id":7,"method":"ping"})").is_request());
}

TEST_CASE("what a request is about is found at its place and nowhere else") {
    const auto call =
        one(R"({"id":1,"params":{"arguments":{"name":"fake","_meta":{"progressToken":9}},"name":"echo",
        "_meta":{"progressToken":"p1","other":{"progressToken":"no"}}},"method":"tools/call"})");
    CHECK(call.method == "tools/call");
    CHECK(call.tool == "echo");
    CHECK(call.progress_token == "\"p1\"");
    CHECK(one(R"({"id":1,"method":"tools/call","params":{"_meta":{"progressToken":42},"name":"a\/b"}})")
              .progress_token == "42");
    CHECK(one(R"({"id":1,"method":"tools/call","params":{"name":"a\/b"}})").tool == "a/b");
    CHECK(one(R"({"id":1,"method":"resources/read","params":{"uri":"file:///x"}})").tool == "file:///x");
    CHECK(one(R"({"id":1,"method":"x","nested":{"method":"y","id":2}})").method == "x");
    CHECK(one(R"({"id":1,"method":"tools/call","params":[{"name":"no"}]})").tool.empty());
}

TEST_CASE("a client's name is read from initialize, or from the _meta of a stateless request") {
    CHECK(one(R"({"id":1,"method":"initialize","params":{"clientInfo":{"name":"cursor","version":"1"}}})")
              .client_name == "cursor");
    CHECK(one(R"({"id":1,"method":"tools/call","params":{"name":"t","_meta":
        {"io.modelcontextprotocol/clientInfo":{"name":"claude-code","version":"2"}}}})")
              .client_name == "claude-code");
    CHECK(one(R"({"id":1,"method":"tools/call","params":{"name":"t","arguments":
        {"io.modelcontextprotocol/clientInfo":{"name":"no"}},"_meta":{"x":{"name":"no"}}}})")
              .client_name.empty());
}

TEST_CASE("a cancellation names the request it is about") {
    CHECK(one(R"({"method":"notifications/cancelled","params":{"requestId":12,"reason":"timeout"}})")
              .cancelled_id == "12");
    CHECK(one(R"({"method":"notifications\/cancelled","params":{"requestId":"a"}})").cancelled_id == "\"a\"");
    CHECK(one(R"({"method":"notifications\/cancelled","params":{"requestId":"a"}})").method ==
          "notifications/cancelled");
}

TEST_CASE("initialize tells the client's name and whether it elicits by URL") {
    const auto with =
        one(R"({"id":0,"method":"initialize","params":{"capabilities":{"elicitation":{"url":{}}},
        "clientInfo":{"name":"Some Client","version":"1"}}})");
    CHECK(with.client_name == "Some Client");
    CHECK(with.url_elicitation);
    CHECK_FALSE(one(R"({"id":0,"method":"initialize","params":{"capabilities":{"elicitation":{"form":{}}}}})")
                    .url_elicitation);
}

TEST_CASE("batches are read member by member") {
    const auto batch = parse_rpc(R"([{"id":1,"method":"a"},{"method":"b"},{"id":"x","result":{}}])");
    REQUIRE(batch.valid);
    CHECK(batch.batch);
    REQUIRE(batch.messages.size() == 3);
    CHECK(batch.messages[0].is_request());
    CHECK(batch.messages[1].is_notification());
    CHECK(batch.messages[2].is_response());
    CHECK(parse_rpc("[]").valid);
    CHECK_FALSE(valid(R"([{"id":1},2])"));
    CHECK_FALSE(valid(R"([[{"id":1}]])"));
    std::string many = "[{}";
    for (int i = 1; i < 1000; ++i)
        many += ",{}";
    CHECK(valid(many + "]"));
    CHECK_FALSE(valid(many + ",{}]"));
}

TEST_CASE("what two readers may read differently is not valid") {
    CHECK_FALSE(valid(R"({"id":1,"method":"tools/list","method":"tools/call"})"));
    CHECK_FALSE(valid(R"({"id":1,"method":"a","meth\u006fd":"b"})"));
    CHECK_FALSE(valid(R"({"id":1,"method":"tools/call","params":{"name":"a","name":"b"}})"));
    CHECK_FALSE(valid(R"({"id":1,"method":"x","params":{"_meta":{"progressToken":1,"progressToken":2}}})"));
    CHECK_FALSE(valid(R"({"id":1,"method":"a"} {"id":2})"));
    CHECK(valid(R"({"id":1,"method":"x","params":{"arguments":{"list":[{"a":1},{"a":2}]}}})"));
}

TEST_CASE("what is no JSON-RPC is not valid") {
    for (const auto* text : {"", " ", "7", "\"x\"", "null", "true", "{", "[", "{\"id\":}", "{id:1}",
                             "nonsense", "{\"a\":\"\xff\"}"}) {
        INFO(text);
        CHECK_FALSE(valid(text));
    }
}

TEST_CASE("deep nesting is refused without harm") {
    const auto nested = [](std::size_t n) {
        return R"({"id":1,"method":"x","params":)" + std::string(n, '[') + std::string(n, ']') + "}";
    };
    CHECK(valid(nested(200)));
    CHECK_FALSE(valid(nested(300)));
    CHECK_FALSE(valid(nested(1'000'000)));
    CHECK_FALSE(valid(std::string(1'000'000, '[')));
}

TEST_CASE("only methods that read may be sent twice") {
    for (const auto* method : {"tools/list", "resources/read", "ping", "initialize", "prompts/get"})
        CHECK(reads_only(method));
    for (const auto* method : {"tools/call", "", "tools/listen", "notifications/cancelled",
                               "sampling/createMessage", "tasks/cancel"})
        CHECK_FALSE(reads_only(method));
}

TEST_CASE("our errors carry the request's own id and the whole story") {
    rpc_error_data data;
    data.code = fault::approval_required;
    data.upstream = "github";
    data.reason = "insufficient_scope";
    data.required_scopes = {"repo"};
    data.approval_url = "http://127.0.0.1:8971/a/x";
    const auto error = json::parse(make_rpc_error("\"a\"", rpc_code_reauth, "open \"it\"", data));
    CHECK(
        error ==
        json::parse(
            R"({"jsonrpc":"2.0","id":"a","error":{"code":-32010,"message":"open \"it\"","data":{"code":"approval_required",
        "upstream":"github","reason":"insufficient_scope","requiredScopes":["repo"],"approvalUrl":"http://127.0.0.1:8971/a/x"}}})"));
    CHECK(json::parse(make_rpc_error("7", rpc_code_reauth, "x", {}))["id"] == 7);
    CHECK(json::parse(make_rpc_error("", rpc_code_reauth, "x", {}))["id"].is_null());
    CHECK(json::parse(make_rpc_error("{\"x\":1}", rpc_code_reauth, "x", {}))["id"].is_null());
    CHECK_FALSE(json::parse(make_http_error(rpc_code_reauth, "x", {})).contains("id"));
    const auto elicit = json::parse(make_rpc_error("1", rpc_code_url_elicitation, "open it", data));
    CHECK(elicit["error"]["data"]["elicitations"][0]["url"] == data.approval_url);
    CHECK(elicit["error"]["data"]["elicitations"][0]["mode"] == "url");
    // bytes that are no UTF-8 must not break the answer
    CHECK(json::parse(make_rpc_error("1", rpc_code_reauth, "bad \xff", data)).is_object());
}

TEST_CASE("a number as id goes back digit by digit") {
    CHECK(make_rpc_error("123456789012345678901234567890", rpc_code_reauth, "x", {})
              .find("\"id\":123456789012345678901234567890,") != std::string::npos);
    CHECK(make_rpc_error("1.50", rpc_code_reauth, "x", {}).find("\"id\":1.50,") != std::string::npos);
}

TEST_CASE("progress carries the request's own token") {
    CHECK(
        json::parse(make_progress("\"p\"", 3, "Waiting")) ==
        json::parse(
            R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":3,"message":"Waiting"}})"));
    CHECK(json::parse(make_progress("42", 1, ""))["params"]["progressToken"] == 42);
}

TEST_CASE("what stands behind a NUL is not overlooked") {
    using namespace std::string_literals;
    CHECK_FALSE(parse_rpc("{\"id\":1,\"method\":\"a\"}\0{\"id\":2}"s).valid);
}
