// A company on loopback: an identity provider whose tokens callers show us and that exchanges them, and a
// server that takes what comes of it. Faults, keys and times are the test's.
#pragma once

#include "core/crypto/jose.hpp"
#include "core/text/encoding.hpp"
#include "proxy/net/http_service.hpp"
#include "tests/integration/relay_fixture.hpp"

#include <atomic>
#include <map>

namespace relay_test {

/// One HTTP server for all of it, on a thread of its own.
class company {
public:
    company() {
        rotate("k1");
        service_ = std::make_unique<http_service>(io_.get_executor(),
                                                  [this](service_exchange& x) { return serve(x); });
        port_ = service_->listen("127.0.0.1", 0).value();
        thread_ = std::thread([this] { io_.run(); });
    }
    ~company() {
        service_->stop();
        work_.reset();
        thread_.join();
    }
    company(const company&) = delete;

    std::string issuer() const { return "http://127.0.0.1:" + std::to_string(port_); }
    std::string server_url() const { return issuer() + "/mcp"; }
    /// Of the proxy's configuration.
    std::string client_auth(const std::string& more = {}) const {
        return "client_auth: {name: acme, jwt: {issuer: \"" + issuer() + "\", audience: gate" + more + "}}\n";
    }
    std::string provider() const {
        return "identity_providers: {acme: {issuer: \"" + issuer() +
               "\", client: {id: gate, secret: gate-secret-1}}}\n";
    }

    /// Signs with another key from now on; the old one is not in the set any more.
    void rotate(const std::string& kid) {
        const std::lock_guard lock(mutex_);
        key_ = generate_ec_jwk().value();
        kid_ = kid;
        auto shown = public_jwk(key_).value();
        shown["kid"] = kid;
        jwks_.body = json{{"keys", json::array({shown})}}.dump();
        jwks_.status = 200;
    }
    /// What the key set is answered with, in place of the truth; a redirect has `Location`.
    void answer_keys_with(service_response r) {
        const std::lock_guard lock(mutex_);
        jwks_ = std::move(r);
    }
    std::string token(const std::string& subject, std::chrono::seconds life = std::chrono::seconds(60),
                      json more = json::object()) const {
        const std::lock_guard lock(mutex_);
        const auto now = wall_clock::now().time_since_epoch() / std::chrono::seconds(1);
        json claims{
            {"iss", issuer()}, {"aud", "gate"}, {"sub", subject}, {"iat", now}, {"exp", now + life.count()}};
        claims.update(more);
        return sign_jwt(key_, "ES256", {{"typ", "at+jwt"}, {"kid", kid_}}, claims).value();
    }
    static std::string shown(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

    /// What the provider tells of somebody: `typ`, and claims beside who says it, for whom, and when.
    std::string told(const std::string& typ, json more) const {
        const std::lock_guard lock(mutex_);
        const auto now = wall_clock::now().time_since_epoch() / std::chrono::seconds(1);
        json claims{{"iss", issuer()}, {"aud", "gate"}, {"iat", now}, {"jti", "t" + std::to_string(++told_)}};
        claims.update(more);
        return sign_jwt(key_, "ES256", {{"typ", typ}, {"kid", kid_}}, claims).value();
    }
    std::string logout_token(const std::string& subject, json more = json::object()) const {
        json claims{{"sub", subject},
                    {"events", {{"http://schemas.openid.net/event/backchannel-logout", json::object()}}}};
        claims.update(more);
        return told("logout+jwt", std::move(claims));
    }

    /// Refuses the next exchanges with this error; empty: it exchanges.
    void refuse_exchanges(const std::string& error) {
        const std::lock_guard lock(mutex_);
        refusal_ = error;
    }
    /// Of what it issues.
    std::atomic<int> lifetime{3600};
    /// The server answers whoever asks, and says what it got.
    std::atomic<bool> open{false};
    std::atomic<unsigned> key_fetches{0}, exchanges{0}, calls{0};
    form_fields last_exchange() const {
        const std::lock_guard lock(mutex_);
        return last_exchange_;
    }
    void kill_tokens() {
        const std::lock_guard lock(mutex_);
        issued_.clear();
    }

private:
    /// A stream that goes on until somebody ends it.
    task<void> stream(service_exchange& x) {
        auto waiting =
            std::make_shared<loop_timer>(io_.get_executor(), std::chrono::steady_clock::time_point::max());
        x.on_peer_gone([waiting] { waiting->cancel(); });
        service_response head{200, {{"Content-Type", "text/event-stream"}}, ": begun\n\n"};
        co_await x.begin_stream(std::move(head));
        error_code ec;
        co_await waiting->async_wait(asio::redirect_error(use_task, ec));
    }
    task<void> serve(service_exchange& x) {
        if (x.request().method == "GET" && x.request().path == "/mcp" && open &&
            x.request().header("Accept") == "text/event-stream") {
            co_await stream(x);
            co_return;
        }
        auto r = answer_to(x.request());
        co_await x.respond(std::move(r));
    }
    static service_response json_of(unsigned status, const json& body,
                                    std::vector<header_field> fields = {}) {
        fields.push_back({"Content-Type", "application/json"});
        return {status, std::move(fields), body.dump()};
    }
    service_response answer_to(const service_request& q) {
        if (q.path == "/jwks") {
            ++key_fetches;
            const std::lock_guard lock(mutex_);
            return jwks_;
        }
        if (q.path == "/token")
            return exchange(q);
        if (q.path == "/mcp")
            return call(q);
        if (q.path == "/.well-known/oauth-protected-resource/mcp")
            return json_of(200, {{"resource", server_url()}, {"authorization_servers", {issuer()}}});
        if (q.path == "/.well-known/openid-configuration" ||
            q.path == "/.well-known/oauth-authorization-server")
            return json_of(200, {{"issuer", issuer()},
                                 {"jwks_uri", issuer() + "/jwks"},
                                 {"token_endpoint", issuer() + "/token"},
                                 {"authorization_endpoint", issuer() + "/authorize"},
                                 {"registration_endpoint", issuer() + "/register"},
                                 {"code_challenge_methods_supported", {"S256"}}});
        if (q.path == "/register")
            return json_of(201, {{"client_id", "registered"},
                                 {"token_endpoint_auth_method", "none"},
                                 {"redirect_uris", json::parse(q.body)["redirect_uris"]}});
        return json_of(404, json::object());
    }
    service_response exchange(const service_request& q) {
        ++exchanges;
        const std::lock_guard lock(mutex_);
        last_exchange_ = parse_form(q.body);
        std::map<std::string, std::string> form(last_exchange_.begin(), last_exchange_.end());
        if (!refusal_.empty())
            return json_of(400, {{"error", refusal_}});
        const auto claims = verify_jwt(form["subject_token"], jwks_.body, {"ES256"});
        if (!claims)
            return json_of(400, {{"error", "invalid_grant"}});
        const auto token = "for-" + (*claims)["sub"].get<std::string>() + "-" + std::to_string(++number_);
        issued_[token] = (*claims)["sub"].get<std::string>();
        return json_of(200, {{"access_token", token},
                             {"issued_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                             {"token_type", "Bearer"},
                             {"expires_in", lifetime.load()},
                             {"scope", form["scope"]}});
    }
    service_response call(const service_request& q) {
        ++calls;
        const std::lock_guard lock(mutex_);
        const auto given = std::string(q.header("Authorization").value_or(""));
        const auto who = issued_.find(given.size() > 7 ? given.substr(7) : "");
        json seen = json::object();
        for (const auto& f : q.headers)
            seen[f.name] = f.value;
        if (who == issued_.end() && !open)
            return json_of(401, json::object(),
                           {{"WWW-Authenticate", "Bearer resource_metadata=\"" + issuer() +
                                                     "/.well-known/oauth-protected-resource/mcp\""}});
        return json_of(200, {{"jsonrpc", "2.0"},
                             {"id", 1},
                             {"result", {{"who", who == issued_.end() ? "" : who->second}, {"seen", seen}}}});
    }

    mutable std::mutex mutex_;
    secret key_;
    std::string kid_, refusal_;
    service_response jwks_;
    form_fields last_exchange_;
    std::map<std::string, std::string> issued_;
    unsigned number_ = 0;
    mutable unsigned told_ = 0;
    asio::io_context io_{1};
    asio::executor_work_guard<executor> work_{io_.get_executor()};
    std::unique_ptr<http_service> service_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

/// A tool call with those header lines.
inline message call_with(const running_proxy& proxy, const std::string& fields,
                         const std::string& path = "/up") {
    auto client = proxy.connect();
    client.send(proxy.request("POST " + path, json_fields + fields,
                              rpc(1, "tools/call", {{"name", "t"}, {"arguments", json::object()}}).dump()));
    return read_message(client);
}

} // namespace relay_test
