// The credential manager without sockets: a scripted fetcher, a vault that can stop and fail, and a clock
// that is cranked by hand.
#pragma once

#include "conf/load.hpp"
#include "proxy/recovery/manager.hpp"
#include "proxy/vault/open.hpp"

#include "tests/support/catch.hpp"
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <set>

namespace reauth::test {

/// Answers by URL; requests to a URL that is held wait until it is let go.
class scripted_fetcher final : public fetcher {
public:
    explicit scripted_fetcher(executor ex) : ex_(ex) {}

    using answerer = std::function<result<http_response>(const http_request&)>;
    scripted_fetcher& on(const std::string& url, answerer a) {
        answers_[url] = std::move(a);
        return *this;
    }
    scripted_fetcher& on(const std::string& url, unsigned status, std::string body) {
        http_response r;
        r.status = status;
        r.body = std::move(body);
        return on(url, [r](const http_request&) { return r; });
    }
    void hold(const std::string& url) { held_.emplace(url, reply<bool>(ex_)); }
    void let_go(const std::string& url) {
        if (auto node = held_.extract(url))
            node.mapped().give(true);
    }
    void let_all_go() {
        for (auto& [url, gate] : std::exchange(held_, {}))
            gate.give(true);
    }
    std::size_t asked(const std::string& url) const {
        std::size_t n = 0;
        for (const auto& r : requests)
            n += r.url == url ? 1 : 0;
        return n;
    }
    std::string last_body(const std::string& url) const {
        for (auto r = requests.rbegin(); r != requests.rend(); ++r)
            if (r->url == url)
                return std::string(r->body.reveal());
        return {};
    }

    fetch_options last_options(const std::string& url) const { return options_.at(url); }

    task<result<http_response>> fetch(http_request request, fetch_options options) override {
        requests.push_back(request);
        options_[request.url] = std::move(options);
        if (const auto held = held_.find(request.url); held != held_.end()) {
            auto gate = held->second;
            co_await gate.wait();
        }
        const auto found = answers_.find(request.url);
        http_response none;
        none.status = 404;
        co_return found == answers_.end() ? result<http_response>(none) : found->second(request);
    }

    /// Hosts that nothing is let out to.
    std::set<std::string> forbidden;
    task<result<void>> may_reach(std::string url, fetch_options) override {
        failure refused = failure::permanent(fault::egress_refused, "the address of " + url + " is private");
        co_return forbidden.contains(url) ? result<void>(refused) : result<void>();
    }

    std::vector<http_request> requests;

private:
    std::map<std::string, fetch_options> options_;
    executor ex_;
    std::map<std::string, answerer> answers_;
    std::map<std::string, reply<bool>> held_;
};

/// A vault in memory whose thread can be stopped before its next call, and that can refuse to write.
class gated_vault final : public vault {
public:
    gated_vault() {
        vault_config settings;
        settings.backend = vault_backend::memory;
        inner_ = *open_vault(settings);
    }
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    void open() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = false;
        }
        changed_.notify_all();
    }
    /// Whether the vault's thread stands at the closed door.
    bool waited_for() const { return waiting_.load() > 0; }
    std::atomic<bool> writable{true}, readable{true};

    /// Whether a process holds any lock here.
    bool locked() {
        const std::lock_guard lock(mutex_);
        return locks_ > 0;
    }

    result<vault_read> read(record_kind kind, const std::string& key) override {
        const auto lock = pass();
        if (!readable)
            return failure::passing(fault::vault_unavailable, "the disk is gone");
        return inner_->read(kind, key);
    }
    result<bool> write(std::vector<vault_write> changes) override {
        const auto lock = pass();
        if (!writable)
            return failure::passing(fault::vault_unavailable, "the disk is full");
        return inner_->write(std::move(changes));
    }
    using vault::list;
    result<std::vector<vault_record>> list(record_kind kind, const std::string& prefix) override {
        const auto lock = pass();
        return inner_->list(kind, prefix);
    }
    result<std::vector<vault_record>> last(record_kind kind, const std::string& before,
                                           std::size_t most) override {
        const auto lock = pass();
        return inner_->last(kind, before, most);
    }
    result<void> keep_last(record_kind kind, std::size_t kept) override {
        const auto lock = pass();
        return inner_->keep_last(kind, kept);
    }
    result<std::optional<secret>> take(record_kind kind, const std::string& key) override {
        const auto lock = pass();
        return inner_->take(kind, key);
    }
    result<std::unique_ptr<vault_lock>> try_lock(const std::string& name) override {
        const auto lock = pass();
        auto won = inner_->try_lock(name);
        if (won && *won)
            return std::unique_ptr<vault_lock>(std::make_unique<counted_lock>(*this, std::move(*won)));
        return won;
    }
    /// What another process is said to have written.
    void tell(vault_change change) {
        const std::lock_guard lock(mutex_);
        news_.push_back(std::move(change));
    }
    bool others_may_write = false; ///< before the start: the manager listens
    result<std::vector<vault_change>> changes() override {
        const auto lock = pass();
        return std::exchange(news_, {});
    }
    bool shared() const override { return others_may_write; }
    bool locks_can_be_lost() const override { return false; }

private:
    class counted_lock final : public vault_lock {
    public:
        counted_lock(gated_vault& where, std::unique_ptr<vault_lock> inner)
            : where_(where), inner_(std::move(inner)) {
            ++where_.locks_;
        }
        ~counted_lock() override {
            const auto lock = where_.pass();
            inner_.reset();
            --where_.locks_;
        }

    private:
        gated_vault& where_;
        std::unique_ptr<vault_lock> inner_;
    };
    std::unique_lock<std::mutex> pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.wait(lock, [this] { return !closed_; });
        --waiting_;
        return lock;
    }
    std::unique_ptr<vault> inner_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool closed_ = false;
    int locks_ = 0;
    std::vector<vault_change> news_;
    std::atomic<int> waiting_{0};
};

inline const std::string mcp_url = "https://mcp.example/mcp";
inline const std::string resource_metadata_url =
    "https://mcp.example/.well-known/oauth-protected-resource/mcp";
inline const std::string server_metadata_url = "https://as.example/.well-known/oauth-authorization-server";
inline const std::string token_url = "https://as.example/token";
inline const std::string revocation_url = "https://as.example/revoke";

/// An upstream "up" at mcp.example behind as.example, whose tokens are numbered.
struct recovery_world {
    asio::io_context control{1};
    std::optional<asio::executor_work_guard<executor>> guard{control.get_executor()};
    scripted_fetcher network{control.get_executor()};
    gated_vault records;
    credential_store store{records};
    approvals book{"http://127.0.0.1:8971"};
    time_point now = time_point(std::chrono::seconds(1'800'000'000));
    unsigned drawn = 0;
    flow_environment env{[this] { return now; },
                         [this](std::size_t n) {
                             ++drawn;
                             std::string bytes(n, '\0');
                             for (std::size_t i = 0; i < n; ++i)
                                 bytes[i] = static_cast<char>((drawn >> (8 * (i % 4))) & 0xff);
                             return bytes;
                         }};
    credential_numbers numbers;
    std::shared_ptr<const routing_table> table;
    std::map<credential_number, std::vector<snapshot_ptr>> published;
    std::unique_ptr<credential_manager> manager;
    event_loop worker;
    wakeup waker{worker};
    unsigned tokens = 0;
    const std::string more_yaml, approval_yaml;

    /// `more` is YAML beside the upstream, `approval` what `approval` has beside its URL.
    explicit recovery_world(const std::string& upstream = "url: \"" + mcp_url + "\"", std::string more = {},
                            const std::string& approval = {})
        : more_yaml(std::move(more)), approval_yaml(approval.empty() ? approval : ", " + approval) {
        network.on(
            resource_metadata_url, 200,
            R"({"resource":"https://mcp.example/mcp","authorization_servers":["https://as.example"]})");
        network.on(
            server_metadata_url, 200,
            R"({"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize",)"
            R"("token_endpoint":"https://as.example/token","revocation_endpoint":)"
            R"("https://as.example/revoke","registration_endpoint":"https://as.example/register",)"
            R"("code_challenge_methods_supported":["S256"]})");
        network.on("https://as.example/register", 201,
                   R"({"client_id":"client-1","token_endpoint_auth_method":"none"})");
        network.on(revocation_url, 200, "");
        network.on(token_url, [this](const http_request&) { return fresh_token(); });
        table = table_of(upstream);
    }
    ~recovery_world() {
        if (manager) {
            records.open();
            network.let_all_go();
            manager->stop();
            guard.reset();
            control.run(); // what is under way ends before its manager does
        }
    }

    http_response fresh_token() {
        http_response r;
        r.status = 200;
        const auto n = std::to_string(++tokens);
        r.body = R"({"access_token":"access-)" + n + R"(","token_type":"Bearer","expires_in":60,)" +
                 R"("refresh_token":"refresh-)" + n + R"("})";
        return r;
    }
    std::shared_ptr<const routing_table> table_of(const std::string& upstream) {
        config_inputs inputs;
        inputs.environment = {{"HOME", "/nonexistent"}, {"SECRET", "client-s3cr3t"}};
        auto loaded =
            load_config_text("vault: {backend: memory}\napproval: {public_url: "
                             "\"http://127.0.0.1:8971\"" +
                                 approval_yaml + "}\nupstreams:\n  up:\n    {" + upstream + "}\n" + more_yaml,
                             "t.yaml", inputs);
        if (!loaded)
            FAIL(loaded.error().describe());
        auto made = make_routing_table(std::make_shared<const config>(std::move(*loaded)), numbers);
        REQUIRE(made.has_value());
        return *made;
    }
    /// A credential of an earlier login, in the vault.
    void stored_before() {
        credential c;
        c.access_token = secret("access-0");
        c.refresh_token = secret("refresh-0");
        c.issuer = "https://as.example";
        c.resource = mcp_url;
        c.origin = "https://mcp.example";
        c.client_id = "client-1";
        c.obtained_at = now - std::chrono::minutes(5);
        c.expires_at = now + std::chrono::seconds(60);
        c.generation = 1;
        registered_client client;
        client.identity.id = "client-1";
        client.issuer = "https://as.example";
        client.origin = client_origin::dynamic;
        client.redirect_uri = "http://127.0.0.1:8971/oauth/callback";
        REQUIRE(store.store_credential("local", "up", c, 0).has_value());
        REQUIRE(store.pin_issuer("local", "up", c.issuer).has_value());
        REQUIRE(store.store_registration("up", client).has_value());
    }
    void start() {
        manager = std::make_unique<credential_manager>(
            control, network, store, book, env,
            [this](credential_number number, snapshot_ptr s) { published[number].push_back(std::move(s)); });
        const auto started = manager->start(table);
        INFO((started ? std::string() : started.error().describe()));
        REQUIRE(started.has_value());
    }

    /// The process ends and another begins, on the same vault.
    void restart() {
        manager->stop();
        guard.reset();
        control.run(); // what is under way ends before its manager does
        manager.reset();
        control.restart();
        guard.emplace(control.get_executor());
        book = approvals{"http://127.0.0.1:8971"};
        published.clear();
        start();
    }
    /// Runs the control thread's work until `done`; fails where nothing comes any more.
    void until(const std::function<bool()>& done, const char* what) {
        for (worker.poll(); !done(); worker.poll()) {
            INFO("waiting for " << what);
            REQUIRE(control.run_one_for(std::chrono::seconds(20)) > 0);
        }
    }
    template<class T>
    struct pending {
        std::shared_ptr<std::optional<T>> value = std::make_shared<std::optional<T>>();
        bool ready() const { return value->has_value(); }
    };
    template<class T>
    pending<T> begin(task<T> work) {
        pending<T> p;
        auto run = [](task<T> w, std::shared_ptr<std::optional<T>> out) -> task<void> {
            auto value = co_await std::move(w);
            out->emplace(std::move(value));
        };
        asio::co_spawn(control, run(std::move(work), p.value), [](std::exception_ptr e) {
            if (e)
                std::rethrow_exception(e);
        });
        return p;
    }
    template<class T>
    T end(const pending<T>& p, const char* what) {
        until([&] { return p.ready(); }, what);
        return **p.value;
    }
    template<class T>
    T wait(task<T> work, const char* what = "an answer") {
        return end(begin(std::move(work)), what);
    }

    /// The credential of "up", as workers know it.
    credential_number number() const {
        return request_target{table, table->routes[0].get(), table->principals[0]}.credential();
    }
    /// What the workers attach now; "": nothing.
    std::string attached() const {
        const auto found = published.find(number());
        if (found == published.end() || found->second.empty() || !found->second.back())
            return {};
        return std::string(found->second.back()->held.access_token.reveal());
    }
    std::uint64_t generation() const {
        const auto& all = published.at(number());
        return all.back() ? all.back()->generation() : 0;
    }
    std::string in_vault() {
        const auto found = store.find_credential("local", "up", "https://as.example");
        REQUIRE(found.has_value());
        return found->value ? std::string(found->value->access_token.reveal()) : std::string();
    }
    std::shared_ptr<pending_recovery> refused(challenge_kind kind = challenge_kind::invalid_token,
                                              const std::string& scope = {}) {
        recovery_ask ask;
        ask.where = {table, table->routes[0].get(), table->principals[0]};
        ask.what.challenge.kind = attached().empty() ? challenge_kind::unauthorized : kind;
        ask.what.challenge.bearer = true;
        if (!scope.empty())
            ask.what.challenge.scope = scope_set::parse(scope);
        if (!attached().empty())
            ask.what.sent_generation = ask.what.first_generation = generation();
        ask.what.person = person_use::may_ask;
        ask.what.operations.push_back({"tools/call", "echo"});
        auto held = std::make_shared<pending_recovery>(worker, waker, std::move(ask));
        manager->requests().ask(held);
        return held;
    }
    /// A call that a rule wants approved before it is sent.
    std::shared_ptr<pending_recovery> called(const std::string& digest) {
        recovery_ask ask;
        ask.where = {table, table->routes[0].get(), table->principals[0]};
        auto& call = ask.call.emplace();
        call.digest = digest;
        call.named = {"tools/call", "echo"};
        auto held = std::make_shared<pending_recovery>(worker, waker, std::move(ask));
        manager->requests().ask(held);
        return held;
    }
    recovery_verdict verdict_of(const std::shared_ptr<pending_recovery>& r) {
        until([&] { return r->verdict.has_value(); }, "a verdict");
        return *r->verdict;
    }
    /// The person's way: approve, go to the provider, come back with a code.
    authorization_callback sign_in_at(const std::string& location) {
        const auto at = location.find("state=");
        REQUIRE(at != std::string::npos);
        authorization_callback back;
        back.code = "code";
        back.state = location.substr(at + 6, location.find('&', at) - at - 6);
        return back;
    }
};

} // namespace reauth::test
