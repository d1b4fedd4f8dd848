// An organisation on loopback: identity provider, the upstreams' authorization server, MCP servers, and the
// proxy before them. Clocks, lifetimes, policy and faults are the test's.
#pragma once

#include "conf/load.hpp"
#include "proxy/demo/http_client.hpp"
#include "proxy/demo/person.hpp"
#include "proxy/demo/stage.hpp"
#include "proxy/service/runtime.hpp"

#include "tests/support/catch.hpp"

#include <fstream>
#include <future>

namespace enterprise_test {

using namespace reauth;
using nlohmann::json;

struct organisation_options {
    std::size_t upstreams = 1;
    std::chrono::seconds id_token_lifetime{3600};
    std::chrono::milliseconds access_lifetime{60'000};
    std::optional<scope_set> allowed_scopes;
    std::chrono::seconds clock_offset{0}; ///< of every server but the proxy
    std::string acr;                      ///< how people sign in at the identity provider
    std::string policy;                   ///< YAML below `policy:`; empty: the built-in rules
    bool supplied_id_token = false;       ///< in a file, as `id_token`
    std::string vault;                    ///< path of a SQLite vault; empty: memory
};

class organisation {
public:
    explicit organisation(organisation_options o) : options_(std::move(o)) {
        auto clock = [offset = options_.clock_offset] { return wall_clock::now() + offset; };
        demo_idp_options at_idp;
        at_idp.id_token_lifetime = options_.id_token_lifetime;
        at_idp.auto_approve = true;
        at_idp.acr = options_.acr;
        at_idp.allowed_scopes = options_.allowed_scopes;
        at_idp.clock = clock;
        at_idp.client_at = [this](const std::string& client, const std::string& audience) {
            return client == "at-idp" && audience == as->issuer() ? "at-as" : "";
        };
        idp = std::make_unique<demo_identity_provider>(io.get_executor(), std::move(at_idp));
        demo_authorization_options at_as;
        at_as.access_lifetime = options_.access_lifetime;
        at_as.clock = clock;
        at_as.assertion_check = [this](std::string_view jag) { return idp->check_id_jag(jag, as->issuer()); };
        as = std::make_unique<demo_authorization_server>(io.get_executor(), std::move(at_as));
        idp->server().add_client({"at-idp",
                                  "idp-secret",
                                  "mcp-reauth",
                                  "client_secret_basic",
                                  {"http://127.0.0.1/oauth/callback"},
                                  {"authorization_code", "refresh_token"}});
        as->add_client({"at-as",
                        "as-secret",
                        "mcp-reauth",
                        "client_secret_basic",
                        {},
                        {"urn:ietf:params:oauth:grant-type:jwt-bearer"}});
        idp->start().value();
        as->start().value();
        for (std::size_t i = 0; i < options_.upstreams; ++i) {
            demo_mcp_options mcp;
            mcp.name = name_of(i);
            mcp.authorization_servers = {as->issuer()};
            mcp.check = [this](std::string_view token) { return as->inspect(token); };
            servers.push_back(std::make_unique<demo_mcp_server>(io.get_executor(), std::move(mcp)));
            servers.back()->start().value();
        }
        thread_ = std::thread([this] { io.run(); });
        if (options_.supplied_id_token)
            write_id_token(idp->issue_id_token("at-idp"));
        proxy = start_proxy();
    }
    ~organisation() {
        proxy.reset();
        for (const auto& s : servers)
            s->stop();
        as->stop();
        idp->stop();
        work_.reset();
        thread_.join();
    }
    organisation(const organisation&) = delete;

    static std::string name_of(std::size_t i) { return "app" + std::to_string(i); }
    std::string id_token_file() const { return directory_.path() + "/id_token.jwt"; }
    const std::string& directory() const { return directory_.path(); }
    void write_id_token(const std::string& token) const {
        std::ofstream(id_token_file(), std::ios::trunc) << token << '\n';
    }

    std::unique_ptr<server> start_proxy() const {
        std::string vault =
            options_.vault.empty() ? "{backend: memory}" : "{backend: sqlite, path: " + options_.vault + "}";
        std::string text =
            "listen: 127.0.0.1:0\napproval: {listen: \"127.0.0.1:0\", open_browser: never}\nvault: " + vault +
            "\nworkers: 1\nlimits: {refresh_ahead: 1s}\nidentity_providers:\n  acme:\n    issuer: " +
            idp->issuer() + "\n    client: {id: at-idp, secret: idp-secret}\n";
        if (options_.supplied_id_token)
            text += "    id_token: {file: " + id_token_file() + "}\n";
        text += "upstreams:\n";
        for (std::size_t i = 0; i < servers.size(); ++i)
            text += "  " + name_of(i) + ": {url: \"" + servers[i]->url() +
                    "\", grant: enterprise, identity_provider: acme, client: {id: at-as, secret: as-secret, "
                    "issuer: \"" +
                    as->issuer() + "\"}}\n";
        if (!options_.policy.empty())
            text += "policy:\n" + options_.policy;
        config_inputs inputs;
        inputs.environment = {{"HOME", directory_.path()}, {"XDG_STATE_HOME", directory_.path()}};
        auto settings = load_config_text(text, "enterprise.yaml", inputs);
        if (!settings)
            FAIL(settings.error().describe());
        auto made = std::make_unique<server>(std::move(*settings));
        auto started = made->start();
        if (!started)
            FAIL(started.error().describe());
        return made;
    }

    demo_client_session client(std::size_t i = 0) const {
        return demo_client_session("http://127.0.0.1:" + std::to_string(proxy->listen_port()) + "/" +
                                   name_of(i));
    }
    json api(const std::string& method, const std::string& path, const json& body = json::object()) const {
        auto answer = demo_http(
            method, "http://127.0.0.1:" + std::to_string(proxy->approval_port()) + path,
            {{"Authorization", "Bearer " + proxy->operator_token()}, {"Content-Type", "application/json"}},
            method == "GET" ? "" : body.dump());
        REQUIRE(answer.has_value());
        return json::parse(answer->body, nullptr, false);
    }
    /// The first approval that waits, once there is one.
    json approval() const {
        for (;;) {
            auto list = api("GET", "/api/approvals")["approvals"];
            if (!list.empty())
                return list[0];
            std::this_thread::yield();
        }
    }
    /// Approves, and logs in where that is asked for; the last page or the API's answer.
    std::string approve(const json& question) const {
        auto answer = api("POST", "/api/approvals/" + question["id"].get<std::string>() + "/approve");
        if (answer.value("status", "") != "redirect")
            return answer.dump();
        auto page = demo_browse(answer["location"].get<std::string>());
        REQUIRE(page.has_value());
        return page->body;
    }
    /// Opens a session while a person logs in.
    demo_client_session signed_in(std::size_t i = 0) const {
        auto session = client(i);
        auto opened = std::async(std::launch::async, [&] { return session.open(); });
        approve(approval());
        auto answer = opened.get();
        if (!answer)
            FAIL(answer.error().describe());
        return session;
    }

    asio::io_context io{1};
    std::unique_ptr<demo_identity_provider> idp;
    std::unique_ptr<demo_authorization_server> as;
    std::vector<std::unique_ptr<demo_mcp_server>> servers;
    std::unique_ptr<server> proxy;

private:
    organisation_options options_;
    demo_directory directory_;
    asio::executor_work_guard<executor> work_{io.get_executor()};
    std::thread thread_;
};

} // namespace enterprise_test
