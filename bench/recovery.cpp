// What a silent refresh costs a client: added time beyond the authorization server's answer and one upstream
// round trip, with 1, 100 and 1,000 requests in flight at expiry; and how many requests wait at all when
// tokens are renewed ahead. Everything runs in this process, on loopback.
//   bench_recovery [--quick]
#include "bench/traffic/closed_loop.hpp"
#include "conf/load.hpp"
#include "proxy/demo/authorization_server.hpp"
#include "proxy/demo/http_client.hpp"
#include "proxy/demo/mcp_server.hpp"
#include "proxy/demo/person.hpp"
#include "proxy/demo/stage.hpp"
#include "proxy/log/log.hpp"
#include "proxy/service/runtime.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace reauth {
namespace {

using bench::closed_loop;
using steady = std::chrono::steady_clock;

template<class T>
T must(result<T> r) {
    if (!r)
        throw std::runtime_error(r.error().describe());
    return std::move(*r);
}

std::uint16_t port_of(const std::string& url) {
    return static_cast<std::uint16_t>(std::stoul(url.substr(url.find(':', 7) + 1)));
}

double quantile(std::vector<double> values, double p) {
    if (values.empty())
        return 0;
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(p * static_cast<double>(values.size())))];
}

double since_us(steady::time_point start) {
    return std::chrono::duration<double, std::micro>(steady::now() - start).count();
}

/// Authorization server, MCP server and proxy; signed in.
class rig {
public:
    rig(std::chrono::milliseconds token_lifetime, const std::string& refresh_ahead, bool durable) {
        demo_authorization_options as;
        as.access_lifetime = token_lifetime;
        as.auto_approve = true;
        authorization = std::make_unique<demo_authorization_server>(io.get_executor(), std::move(as));
        const auto issuer = must(authorization->start());
        demo_mcp_options mcp;
        mcp.authorization_servers = {issuer};
        mcp.check = [this](std::string_view token) { return authorization->inspect(token); };
        upstream = std::make_unique<demo_mcp_server>(io.get_executor(), std::move(mcp));
        const auto url = must(upstream->start());
        thread_ = std::thread([this] { io.run(); });
        config_inputs inputs;
        inputs.environment = {{"HOME", directory_.path()}, {"XDG_STATE_HOME", directory_.path()}};
        inputs.flags = {{"log.level", "error"}};
        const auto yaml = "listen: 127.0.0.1:0\nworkers: 1\napproval: {listen: \"127.0.0.1:0\"}\nvault: {" +
                          (durable ? "path: " + directory_.path() + "/vault.db" : "backend: memory") +
                          "}\nlimits: {refresh_ahead: " + refresh_ahead +
                          "}\negress: {allow: [127.0.0.0/8]}\nupstreams:\n  demo: {url: \"" + url + "\"}\n";
        auto settings = must(load_config_text(yaml, "bench.yaml", inputs));
        start_log(settings.log);
        proxy = std::make_unique<server>(std::move(settings));
        if (const auto started = proxy->start(); !started)
            throw std::runtime_error(started.error().describe());
        base_ = "http://127.0.0.1:" + std::to_string(proxy->listen_port()) + "/demo";
    }

    ~rig() {
        proxy.reset();
        upstream->stop();
        authorization->stop();
        work_.reset();
        thread_.join();
    }

    /// initialize waits for the login, which is approved here. The microseconds from the approval to the
    /// answer.
    double sign_in() {
        std::atomic<bool> answered{false};
        steady::time_point answered_at;
        std::string problem;
        std::thread client([&] {
            const auto a = demo_http("POST", base_, fields(), initialize, std::chrono::seconds(40));
            answered_at = steady::now();
            if (!a || a->status != 200)
                problem = a ? "initialize was answered " + std::to_string(a->status) : a.error().describe();
            else if (const auto id = a->header("Mcp-Session-Id"))
                session = std::string(*id);
            answered = true;
        });
        steady::time_point approved_at;
        const auto api = "http://127.0.0.1:" + std::to_string(proxy->approval_port());
        const std::vector<header_field> as_operator{{"Authorization", "Bearer " + proxy->operator_token()}};
        for (bool done = false; !done && !answered;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            const auto list = demo_http("GET", api + "/api/approvals", as_operator);
            if (!list)
                continue;
            const auto waiting =
                nlohmann::json::parse(list->body, nullptr, false).value("approvals", nlohmann::json::array());
            for (const auto& one : waiting) {
                approved_at = steady::now();
                const auto said = demo_http(
                    "POST", api + "/api/approvals/" + one.value("id", "") + "/approve", as_operator);
                if (said)
                    demo_browse(nlohmann::json::parse(said->body, nullptr, false).value("location", ""));
                done = true;
            }
        }
        client.join();
        if (!problem.empty())
            throw std::runtime_error("signing in: " + problem);
        return std::chrono::duration<double, std::micro>(answered_at - approved_at).count();
    }

    std::string call(std::uint16_t port, const std::string& path) const {
        return bench::post_request(port, path, 200,
                                   session.empty() ? "" : "MCP-Session-Id: " + session + "\r\n");
    }

    /// Where the vault is.
    const std::string& directory() const { return directory_.path(); }
    std::uint16_t proxy_port() const { return proxy->listen_port(); }

    asio::io_context io{1};
    std::unique_ptr<demo_authorization_server> authorization;
    std::unique_ptr<demo_mcp_server> upstream;
    std::unique_ptr<server> proxy;
    std::string session;

private:
    static std::vector<header_field> fields() {
        return {{"Content-Type", "application/json"}, {"Accept", "application/json, text/event-stream"}};
    }
    static constexpr const char* initialize =
        R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}})";

    asio::executor_work_guard<executor> work_{io.get_executor()};
    demo_directory directory_;
    std::string base_;
    std::thread thread_;
};

/// The authorization server's own answer time to a token request, connection included.
std::vector<double> token_answers(rig& r, unsigned count) {
    demo_client machine;
    machine.secret = "bench-secret";
    machine.auth_method = "client_secret_post";
    machine.grant_types = {"client_credentials"};
    const auto id = r.authorization->add_client(machine);
    std::vector<double> out;
    for (unsigned i = 0; i < count; ++i) {
        const auto start = steady::now();
        const auto answer =
            demo_http("POST", r.authorization->issuer() + "/token",
                      {{"Content-Type", "application/x-www-form-urlencoded"}},
                      "grant_type=client_credentials&client_id=" + id + "&client_secret=bench-secret");
        if (!answer || answer->status != 200)
            throw std::runtime_error("the authorization server gave no token to the yardstick");
        out.push_back(since_us(start));
    }
    return out;
}

/// All requests of `n` connections at once, `times` times, each time after the token died. Microseconds,
/// every request.
std::vector<double> bursts(rig& r, unsigned n, unsigned times, bool dead) {
    closed_loop loop(r.proxy_port(), r.call(r.proxy_port(), "/demo"), n);
    loop.run(n, 30);
    std::vector<double> out;
    for (unsigned i = 0; i < times; ++i) {
        if (dead)
            r.authorization->kill_access_tokens();
        const auto round = loop.run(n, 30);
        if (round.errors)
            throw std::runtime_error(std::to_string(round.errors) + " of " + std::to_string(n) +
                                     " requests failed: " + round.first_error);
        for (const auto ns : round.latencies)
            out.push_back(static_cast<double>(ns) / 1000);
    }
    return out;
}

/// Where the time of single refreshes goes: from a step's beginning to the next one's, medians.
void print_steps(rig& r, unsigned times) {
    using moment = std::pair<std::string, steady::time_point>;
    std::vector<moment> heard; // on the control thread, and read when nothing is under way
    r.proxy->on_recovery_step([&](std::string_view name) { heard.emplace_back(name, steady::now()); });
    closed_loop loop(r.proxy_port(), r.call(r.proxy_port(), "/demo"), 1);
    std::vector<std::string> order;
    std::map<std::string, std::vector<double>> took;
    for (unsigned i = 0; i < times; ++i) {
        r.authorization->kill_access_tokens();
        heard.assign(1, {"401, to control", steady::now()});
        loop.run(1, 30);
        auto steps = heard;
        steps.emplace_back("", steady::now());
        for (std::size_t s = 0; s + 1 < steps.size(); ++s) {
            const auto& name = steps[s].first;
            if (!took.contains(name))
                order.push_back(name);
            const std::chrono::duration<double, std::micro> each = steps[s + 1].second - steps[s].second;
            took[name].push_back(each.count());
        }
    }
    r.proxy->on_recovery_step({});
    std::printf("\none in flight, step by step (p50):");
    for (const auto& name : order)
        std::printf("%s %s %.0f us", name == order.front() ? "" : ",",
                    name == "publish" ? "publish, replay, answer" : name.c_str(), quantile(took[name], 0.5));
    std::printf("\n");
}

/// What the disk takes for one durable write, without us.
double durable_write_us(const std::string& folder) {
    const int fd = ::open((folder + "/yardstick").c_str(), O_CREAT | O_RDWR, 0600);
    const std::string page(4096, 'p');
    std::vector<double> out;
    for (int i = 0; i < 20; ++i) {
        const auto start = steady::now();
        if (::write(fd, page.data(), page.size()) < 0 || ::fsync(fd) != 0)
            break;
        out.push_back(since_us(start));
    }
    ::close(fd);
    return quantile(out, 0.5);
}

void refresh_cost(bool quick, bool durable) {
    rig r(std::chrono::hours(1), "1s", durable);
    const double approved = r.sign_in();
    if (durable)
        std::printf("\nvault on disk; one write with fsync takes the disk alone %.0f us\n",
                    durable_write_us(r.directory()));
    else
        std::printf("vault in memory\n");
    std::printf("approval to answered request, a browser's four page loads included: %.1f ms\n",
                approved / 1000);
    const auto as = token_answers(r, quick ? 20 : 200);
    const auto path = r.upstream->url().substr(r.upstream->url().find('/', 8));
    closed_loop direct(port_of(r.upstream->url()), r.call(port_of(r.upstream->url()), path), 1);
    std::vector<double> trip;
    for (unsigned i = 0; i < (quick ? 50u : 500u);
         ++i) // without a token: the 401 is the round trip that a recovery adds
        trip.push_back(direct.run(1, 5).quantile_us(0.5));
    std::printf(
        "authorization server's answer p50 %.0f us p99 %.0f us, upstream's 401 p50 %.0f us p99 %.0f us\n\n",
        quantile(as, 0.5), quantile(as, 0.99), quantile(trip, 0.5), quantile(trip, 0.99));
    std::printf("%-20s %12s %12s %12s %12s %10s\n", "requests in flight", "valid p50", "expired p50",
                "expired p99", "added p50", "added p99");
    for (const auto& [n, times] : std::vector<std::pair<unsigned, unsigned>>{
             {1, quick ? 50 : 1000}, {100, quick ? 5 : 50}, {1000, quick ? 1 : 10}}) {
        const auto valid = bursts(r, n, times, false);
        const auto before = r.proxy->counter("mcp_reauth_refreshes_total");
        const auto expired = bursts(r, n, times, true);
        const auto refreshes = r.proxy->counter("mcp_reauth_refreshes_total") - before;
        const auto added = [&](double p) {
            return quantile(expired, p) - quantile(valid, p) - quantile(as, p) - quantile(trip, p);
        };
        std::printf("%-20u %9.0f us %9.0f us %9.0f us %9.0f us %7.0f us   %llu refreshes for %u expiries\n",
                    n, quantile(valid, 0.5), quantile(expired, 0.5), quantile(expired, 0.99), added(0.5),
                    added(0.99), static_cast<unsigned long long>(refreshes), times);
        if (n == 1)
            print_steps(r, times);
        if (n == 1 && !durable)
            std::printf("%s  a silent refresh adds at most 1 ms (p99, one request in flight)\n",
                        added(0.99) <= 1000 ? "reached" : "NOT REACHED");
    }
}

bool renewal_ahead(bool quick) {
    rig r(std::chrono::seconds(4), "2s", true);
    r.sign_in();
    closed_loop loop(r.proxy_port(), r.call(r.proxy_port(), "/demo"), 16);
    const auto waited = r.proxy->counter("mcp_reauth_waited_total"),
               refreshes = r.proxy->counter("mcp_reauth_refreshes_total");
    const auto out = loop.run(quick ? 2000 : 10000, 60, quick ? 400 : 500);
    const auto did_wait = r.proxy->counter("mcp_reauth_waited_total") - waited;
    std::printf("\nsteady traffic, tokens of 4 s renewed 2 s ahead: %llu of %zu requests waited, %llu "
                "renewals, %llu errors, p50 %.0f us p99 %.0f us\n",
                static_cast<unsigned long long>(did_wait), out.latencies.size(),
                static_cast<unsigned long long>(r.proxy->counter("mcp_reauth_refreshes_total") - refreshes),
                static_cast<unsigned long long>(out.errors), out.quantile_us(0.5), out.quantile_us(0.99));
    const bool good = did_wait == 0 && out.errors == 0;
    std::printf("%s  no request waits where tokens are renewed ahead\n", good ? "reached" : "NOT REACHED");
    return good;
}

} // namespace
} // namespace reauth

int main(int argc, char** argv) {
    const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
    try {
        // the time that a refresh adds is noise's to move; that nobody waits is not
        reauth::refresh_cost(quick, false);
        reauth::refresh_cost(quick, true);
        const bool good = reauth::renewal_ahead(quick);
        std::printf("COUNT %d passed, %d failed\n", good ? 1 : 0, good ? 0 : 1);
        return good ? 0 : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_recovery: %s\nCOUNT 0 passed, 1 failed\n", e.what());
        return 1;
    }
}
