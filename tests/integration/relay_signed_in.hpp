// A proxy that has signed in to a protected MCP server, with one session open: where recovery tests begin.
#pragma once

#include "tests/integration/relay_fixture.hpp"

namespace relay_test {

/// Authorization server and MCP server on a thread, the proxy in front.
class protected_house {
public:
    /// `more` is YAML beside the upstream.
    explicit protected_house(const std::string& more = {}, const std::function<void(config&)>& change = {})
        : as(io.get_executor(), lasting()), upstream(io.get_executor(), options(*this)) {
        as.start().value();
        issuer = as.issuer();
        upstream.start().value();
        thread = std::thread([this] { io.run(); });
        proxy = std::make_unique<running_proxy>(more + running_proxy::upstream(upstream.url()), change);
    }
    ~protected_house() {
        proxy.reset();
        upstream.stop();
        as.stop();
        thread.join();
    }

    std::string post(const std::string& body) const {
        return proxy->request("POST /up", json_fields + session + client_fields, body);
    }
    std::string rpc_post(const json& message) const { return post(message.dump()); }
    std::string call(const json& id, const std::string& tool, json arguments, json meta = nullptr) const {
        json params{{"name", tool}, {"arguments", std::move(arguments)}};
        if (!meta.is_null())
            params["_meta"] = std::move(meta);
        return rpc_post(rpc(id, "tools/call", std::move(params)));
    }
    std::string initialize(const json& id = 0) const {
        return rpc_post(rpc(id, "initialize",
                            {{"protocolVersion", "2025-11-25"},
                             {"capabilities", json::object()},
                             {"clientInfo", {{"name", "raw client"}, {"version", "1"}}}}));
    }
    /// Waits until it holds.
    static void await(const std::function<bool()>& holds) {
        auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!holds()) {
            if (std::chrono::steady_clock::now() > until)
                throw std::runtime_error("what the test waits for did not come");
            std::this_thread::yield();
        }
    }
    /// Initialises with one approval, and keeps the session. Where the client is not made to wait, it tries
    /// again.
    void sign_in() {
        auto client = proxy->connect();
        client.send(initialize());
        proxy->approve();
        auto back = read_message(client);
        if (back.get("Mcp-Session-Id").empty()) {
            client.send(initialize());
            back = read_message(client);
        }
        if (back.get("Mcp-Session-Id").empty())
            throw std::runtime_error("no session: " + back.head + back.body);
        session = "Mcp-Session-Id: " + back.get("Mcp-Session-Id") + "\r\n";
    }

    asio::io_context io;
    demo_authorization_server as;
    std::string issuer, session, client_fields;
    demo_mcp_server upstream;
    std::thread thread;
    std::unique_ptr<running_proxy> proxy;

private:
    static demo_authorization_options lasting() {
        demo_authorization_options made;
        made.access_lifetime = std::chrono::hours(1);
        made.auto_approve = true;
        return made;
    }
    static demo_mcp_options options(protected_house& self) {
        demo_mcp_options made;
        made.check = [&self](std::string_view shown) { return self.as.inspect(shown); };
        // the port is known once the server runs; the metadata is patched then
        made.authorization_servers = {"http://127.0.0.1:1"};
        made.event_interval = made.slow_step = std::chrono::milliseconds(0);
        return made;
    }

public:
    /// Metadata names the authorization server that runs; further faults go on top.
    void set_faults(demo_mcp_faults faults = {}) {
        faults.patch_metadata = [this](json& document) { document["authorization_servers"] = {issuer}; };
        upstream.set_faults(std::move(faults));
    }
};

/// The same, signed in.
class signed_in : public protected_house {
public:
    explicit signed_in(const std::string& more = {}, const std::string& fields = {}) : protected_house(more) {
        client_fields = fields;
        set_faults();
        sign_in();
    }
};

} // namespace relay_test
