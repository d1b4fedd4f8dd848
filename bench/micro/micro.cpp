// Micro-benchmarks of what a request and a challenge pass through, without sockets.
#include "core/http/http_body.hpp"
#include "core/http/http_head.hpp"
#include "core/oauth/challenge.hpp"
#include "policy/rules/decision.hpp"
#include "proxy/relay/routing.hpp"
#include "proxy/relay/snapshot.hpp"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

namespace reauth {
namespace {

const std::string request_bytes =
    "POST /github HTTP/1.1\r\nHost: 127.0.0.1:8970\r\nAccept: application/json, text/event-stream\r\n"
    "Content-Type: application/json\r\nUser-Agent: node\r\nMCP-Protocol-Version: 2025-06-18\r\n"
    "MCP-Session-Id: 0123456789abcdef0123456789abcdef\r\nAuthorization: Bearer of-the-client\r\n"
    "Connection: keep-alive\r\nContent-Length: 200\r\n\r\n";
const std::string response_bytes =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 01 Jan 2029 00:00:00 GMT\r\n"
    "Keep-Alive: timeout=60\r\nConnection: keep-alive\r\nContent-Length: 300\r\n\r\n";

void parse_request(benchmark::State& state) {
    auto head = std::make_unique<request_head>();
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_request_head(request_bytes, *head));
}
BENCHMARK(parse_request);

void parse_and_rewrite_request(benchmark::State& state) {
    auto head = std::make_unique<request_head>();
    request_rewrite rewrite;
    rewrite.target = "/mcp";
    rewrite.host = "api.example.com";
    rewrite.credential = "Authorization: Bearer 0123456789abcdef0123456789abcdef0123456789abcdef\r\n";
    std::string out;
    for (auto _ : state) {
        out.clear();
        parse_request_head(request_bytes, *head);
        write_request_head(*head, rewrite, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(parse_and_rewrite_request);

void parse_and_rewrite_response(benchmark::State& state) {
    auto head = std::make_unique<response_head>();
    std::string out;
    for (auto _ : state) {
        out.clear();
        parse_response_head(response_bytes, false, *head);
        write_response_head(*head, {}, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(parse_and_rewrite_response);

/// An event stream as it comes: one event a chunk.
void scan_chunked_body(benchmark::State& state) {
    response_head head;
    head.framing = body_framing::chunked;
    const std::string event = "64\r\n" + std::string(100, 'e') + "\r\n";
    body_scanner scanner(head);
    std::string out;
    for (auto _ : state) {
        out.clear();
        std::string_view input = event;
        benchmark::DoNotOptimize(pass_body(scanner, input, false, out));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(event.size()));
}
BENCHMARK(scan_chunked_body);

void scan_sized_body(benchmark::State& state) {
    const std::string block(64 << 10, 'b');
    response_head head;
    head.framing = body_framing::sized;
    head.content_length = ~std::uint64_t{0} >> 1;
    body_scanner scanner(head);
    for (auto _ : state) {
        std::string_view input = block;
        benchmark::DoNotOptimize(scanner.next(input));
    }
}
BENCHMARK(scan_sized_body);

void read_bearer_challenge(benchmark::State& state) {
    const std::vector<std::string_view> lines{
        R"(Bearer realm="mcp", error="insufficient_scope", error_description="publish needs more", scope="mcp:tools notes:write", )"
        R"(resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp")"};
    for (auto _ : state)
        benchmark::DoNotOptimize(read_challenge(403, lines, {}, true));
}
BENCHMARK(read_bearer_challenge);

/// As many rules as a team's file has, the last of which matches.
void decide_by_policy(benchmark::State& state) {
    rule_set rules;
    for (int i = 0; i < 20; ++i) {
        rule r;
        r.name = "rule " + std::to_string(i);
        r.match.upstream = {"team-" + std::to_string(i) + "-*"};
        r.match.scopes = {"admin:*", "*:write"};
        rules.rules.push_back(std::move(r));
    }
    for (auto& r : builtin_rules())
        rules.rules.push_back(std::move(r));
    challenge_facts facts;
    facts.upstream = "github";
    facts.operations = {{"tools/call", "publish"}};
    facts.reason = challenge_reason::token_expired;
    facts.grant = grant_kind::authorization_code;
    for (auto _ : state)
        benchmark::DoNotOptimize(decide(rules, facts));
}
BENCHMARK(decide_by_policy);

void find_upstream(benchmark::State& state) {
    const route to;
    std::vector<mount> mounts;
    for (const char* prefix : {"/confluence", "/calendar", "/linear", "/github", "/notes", "/jira"})
        mounts.push_back({prefix, &to});
    for (auto _ : state)
        benchmark::DoNotOptimize(find_route(mounts, "/github?session=1"));
}
BENCHMARK(find_upstream);

/// What a request does at "attach": its credential, its snapshot kept alive, the clock's reading compared.
void look_up_credential(benchmark::State& state) {
    std::vector<worker_credential> credentials(16);
    for (auto& one : credentials) {
        auto snapshot = std::make_shared<credential_snapshot>();
        snapshot->header_line = secret("Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n");
        one.current = std::move(snapshot);
    }
    std::size_t number = 0;
    for (auto _ : state) {
        snapshot_ptr held = credentials[number++ % credentials.size()].current;
        bool usable = std::chrono::steady_clock::now() < held->expires_at;
        benchmark::DoNotOptimize(usable);
        benchmark::DoNotOptimize(held);
    }
}
BENCHMARK(look_up_credential);

} // namespace
} // namespace reauth
