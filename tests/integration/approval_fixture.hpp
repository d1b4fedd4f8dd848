// An approval listener on an ephemeral port, with scripted actions, and a blocking client to attack it with.
#pragma once

#include "proxy/approval/approval_listener.hpp"
#include "proxy/net/task.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include <atomic>
#include <future>
#include <thread>

namespace approval_test {

using namespace reauth;

/// Does what the credential manager would, in its simplest form, and remembers how it was called.
struct fake_actions : approval_actions {
    explicit fake_actions(approvals& b) : book(b) {}

    task<result<approve_answer>> approve(std::string id, approver who, bool from_page, sign_in_method method,
                                         std::string by) override {
        ++approve_calls;
        last_by = std::move(by);
        last_method = method;
        last_approver = who;
        last_from_page = from_page;
        auto a = book.find(id);
        if (fail_with)
            co_return *fail_with;
        if (a->completes_without_login) {
            if (who == approver::link_holder)
                co_return failure::permanent(fault::approval_required, "the operator has to approve this");
            change(*a, approval_status::approved, "It is done.");
            co_return approve_answer{true, {}, {}, {}, {}};
        }
        a->location = location;
        approve_answer answer;
        answer.location = location;
        answer.state = secret("the-state");
        if (method == sign_in_method::device) {
            a->user_code = answer.user_code = "WDJB-MJHT";
            a->verification_uri = answer.verification_uri = "https://as.example/device";
        }
        change(*a, approval_status::authorizing);
        if (from_page)
            answer.browser_binding = secret("binding-value");
        co_return answer;
    }
    sign_in_method last_method = sign_in_method::as_configured;
    std::string last_by;
    task<result<void>> deny(std::string id, std::string by) override {
        ++deny_calls;
        last_by = std::move(by);
        change(*book.find(id), approval_status::denied, "A person said no.");
        co_return result<void>{};
    }
    task<callback_outcome> callback(callback_parameters parameters,
                                    std::optional<std::string> binding) override {
        ++callback_calls;
        last_callback = parameters;
        last_binding = binding;
        co_return callback_answer;
    }
    task<result<std::string>> login(std::string upstream, std::string, std::string) override {
        if (upstream != "github")
            co_return failure::permanent(fault::invalid_configuration, "there is no upstream " + upstream,
                                         "Look at `status`.");
        co_return std::string("aaaa");
    }
    task<result<revocation_report>> logout_all(std::string principal, std::string) override {
        logged_out = "*/" + principal;
        co_return revocation_report();
    }
    task<result<revocation_report>> end_identity(std::string principal, std::string by) override {
        logged_out = "identity " + principal + " by " + by;
        co_return revocation_report();
    }
    task<result<revocation_report>> logout(std::string upstream, std::string principal,
                                           std::string) override {
        logged_out = upstream + "/" + principal;
        co_return revocation_report();
    }

    /// As slow as a vault elsewhere.
    task<bool> keep_page_link(std::string digest, time_point until) override {
        const auto ex = co_await asio::this_coro::executor;
        loop_timer latency(ex, std::chrono::milliseconds(100));
        co_await latency.async_wait(use_task);
        ++links_kept;
        links[digest] = until;
        co_return true;
    }
    task<bool> take_page_link(std::string digest) override {
        const auto found = links.extract(digest);
        co_return found&& found.mapped() > clock();
    }
    std::map<std::string, time_point> links;
    std::function<time_point()> clock;
    int links_kept = 0;

    void change(approval now, approval_status status, std::string outcome = {}) {
        now.status = status;
        now.outcome = std::move(outcome);
        book.show(now);
    }

    approvals& book;
    std::string location = "https://login.example/authorize?client_id=c&state=the-state";
    std::optional<failure> fail_with;
    callback_outcome callback_answer{true, "Signed in", "Your request has been answered.", "aaaa"};
    int approve_calls = 0, deny_calls = 0, callback_calls = 0;
    approver last_approver{};
    bool last_from_page = false;
    callback_parameters last_callback;
    std::optional<std::string> last_binding;
    std::string logged_out;
};

/// A company where ada and root sign in with codes of their names; a cookie's seal is its text in base64url.
struct fake_people : identity_actions {
    std::atomic<bool> enabled{false}, provider_down{false};
    std::atomic<time_point> ended{time_point{}}; ///< every session that was begun until then is over
    std::atomic<int> sessions_ended{0};
    std::function<time_point()> clock;

    task<signal_answer> logout_token(std::string provider, std::string token) override {
        co_return signal_answer{provider == "acme" && token == "good" ? 200u : 400u,
                                token == "good" ? "" : "invalid_request", "It is refused."};
    }
    task<signal_answer> security_event(std::string, std::string bearer, std::string token) override {
        if (token == "later")
            co_return signal_answer{503, "temporarily_unavailable", "Try again later."};
        co_return signal_answer{202, bearer == "transmitter" ? "" : "authentication_failed", "No."};
    }
    bool people_sign_in() const override { return enabled; }
    std::chrono::milliseconds session_lifetime() const override { return std::chrono::hours(1); }
    task<result<page_sign_in>> begin_page_sign_in(std::string return_to) override {
        if (provider_down)
            co_return failure::passing(fault::authorization_server_unavailable,
                                       "the provider does not answer");
        to = std::move(return_to);
        co_return page_sign_in{"https://idp.example/authorize?state=page-state", "page-state",
                               secret("bound")};
    }
    task<std::optional<std::string>> page_sign_in_of(std::string state) override {
        co_return state == "page-state" ? std::optional(to) : std::nullopt;
    }
    task<result<page_person>> finish_page_sign_in(authorization_callback parameters,
                                                  std::optional<std::string> binding) override {
        if (binding != "bound" || !parameters.code)
            co_return failure::permanent(fault::reauth_failed, "this login was started in another browser");
        page_person who;
        who.id = "session-1";
        who.principal = "acme/" + *parameters.code;
        who.shown = *parameters.code;
        who.operates = *parameters.code == "root";
        who.begun = who.seen = clock();
        co_return who;
    }
    bool over(const page_person& who) const override {
        return who.begun <= ended.load() || clock() - who.seen >= std::chrono::minutes(30);
    }
    task<void> end_page_session(page_person) override {
        ++sessions_ended;
        co_return;
    }
    std::string seal(const std::string& text) const override { return base64url_encode(text); }
    std::optional<std::string> unseal(const std::string& sealed) const override {
        return base64url_decode(sealed);
    }

private:
    std::string to;
};

struct answer {
    unsigned status = 0;
    std::string head, body;
    std::string header(const std::string& name) const {
        const auto at = head.find("\r\n" + name + ": ");
        if (at == std::string::npos)
            return {};
        const auto from = at + name.size() + 4;
        return head.substr(from, head.find("\r\n", from) - from);
    }
    nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
    bool shows(const std::string& text) const { return body.find(text) != std::string::npos; }
};

using headers = std::vector<std::pair<std::string, std::string>>;

/// Everything the listener touches lives on the io thread; tests reach it through on_io().
class listener_fixture {
public:
    /// `behind`: it shares the address of another one, at that port, and is asked by it.
    explicit listener_fixture(std::string public_url = {},
                              std::function<std::vector<std::uint16_t>()> neighbours = {},
                              std::optional<std::uint16_t> behind = {})
        : book(""), actions(book) {
        approval_config config;
        config.listen = {"127.0.0.1", behind.value_or(0), ""};
        config.public_url = std::move(public_url);
        actions.clock = [this] { return now.load(); };
        approval_services services{
            book, actions, [this] { return credentials; }, [this] { return now.load(); },
            [this](std::size_t n) { return std::string(n, static_cast<char>('A' + random_calls++ % 26)); }};
        services.neighbours = std::move(neighbours);
        people.clock = [this] { return now.load(); };
        services.people = &people;
        services.client_metadata = [this] { return client_metadata; };
        listener = std::make_unique<approval_listener>(io.get_executor(), config, secret(token), services);
        port = (behind ? listener->listen_behind() : listener->listen()).value();
        thread = std::thread([this] { io.run(); });
    }
    ~listener_fixture() {
        on_io([&] { listener.reset(); });
        thread.join();
    }

    void on_io(const std::function<void()>& f) {
        std::promise<void> done;
        asio::post(io, [&] {
            f();
            done.set_value();
        });
        done.get_future().get();
    }

    /// A question with id "aaaa" and link secret "link-secret-of-aaaa", unless changed.
    void open(std::function<void(approval&)> change = [](approval&) {}) {
        approval a;
        a.id = "aaaa";
        a.link_secret = secret("link-secret-of-aaaa");
        a.kind = approval_kind::step_up;
        a.upstream = "github";
        a.reason = "insufficient_scope";
        a.granted = scope_set{"read"};
        a.requested = scope_set{"read", "write"};
        a.added = scope_set{"write"};
        a.tool = "create_issue";
        a.method = "tools/call";
        a.client_name = "Some Client";
        a.upstream_host = a.login_host = a.token_host = "login.example";
        a.issuer = "https://login.example";
        a.created_at = now;
        a.expires_at = now.load() + std::chrono::minutes(15);
        change(a);
        on_io([&] { book.show(a); });
    }

    std::string client_metadata; ///< on the io thread

    std::string origin() const { return "http://127.0.0.1:" + std::to_string(port); }
    std::string bearer() const { return "Bearer " + token; }

    answer ask(const std::string& method, const std::string& target, headers fields = {},
               const std::string& body = {}) {
        bool has_host = false;
        std::string text = method + " " + target + " HTTP/1.1\r\n";
        for (const auto& [name, value] : fields) {
            has_host = has_host || name == "Host";
            text += name + ": " + value + "\r\n";
        }
        if (!has_host)
            text += "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
        text += "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
        asio::io_context mine;
        asio::ip::tcp::socket s(mine);
        s.connect({asio::ip::address_v4::loopback(), port});
        asio::write(s, asio::buffer(text));
        std::string got;
        error_code ec;
        asio::read(s, asio::dynamic_buffer(got), ec);
        answer a;
        const auto end = got.find("\r\n\r\n");
        a.head = got.substr(0, end + 2);
        a.body = end == std::string::npos ? "" : got.substr(end + 4);
        a.status = a.head.size() > 12 ? static_cast<unsigned>(std::stoul(a.head.substr(9, 3))) : 0;
        return a;
    }
    /// With the operator token.
    answer api(const std::string& method, const std::string& target, const nlohmann::json& body = {}) {
        return ask(method, "/api/" + target, {{"Authorization", bearer()}},
                   body.is_null() ? "" : body.dump());
    }
    answer form(const std::string& target, const std::string& body = {}) {
        return ask("POST", target,
                   {{"Origin", origin()},
                    {"Sec-Fetch-Site", "same-origin"},
                    {"Content-Type", "application/x-www-form-urlencoded"}},
                   body);
    }

    asio::io_context io;
    approvals book;
    fake_actions actions;
    fake_people people;
    std::vector<credential_summary> credentials;
    std::atomic<time_point> now{time_point(std::chrono::seconds(1'800'000'000))};
    std::string token = "operator-token-of-this-test";
    int random_calls = 0;
    std::unique_ptr<approval_listener> listener;
    std::uint16_t port = 0;
    std::thread thread;
};

inline const std::string page = "/a/link-secret-of-aaaa";

} // namespace approval_test
