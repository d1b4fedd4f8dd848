// The demo's stage: servers on a thread of their own, the proxy's configuration, ports that are free.
#include "proxy/demo/stage.hpp"

#include "conf/load.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <set>
#include <stdexcept>

namespace reauth {

std::uint16_t demo_free_port(std::uint16_t wanted) {
    // the kernel may offer a port again as soon as it is released: who asked for two must not get one
    static std::mutex guard;
    static std::set<std::uint16_t> given;
    const std::lock_guard lock(guard);
    asio::io_context io;
    for (int tries = 0; tries < 1000; ++tries) {
        asio::ip::tcp::acceptor probe(io, asio::ip::tcp::v4());
        error_code ec;
        probe.set_option(asio::socket_base::reuse_address(true));
        probe.bind({asio::ip::address_v4::loopback(), tries == 0 ? wanted : std::uint16_t{0}}, ec);
        // two that only bind may share a port: listening shows whether it is free
        if (!ec)
            probe.listen(1, ec);
        if (ec)
            continue;
        const auto port = probe.local_endpoint().port();
        if (port == wanted || given.insert(port).second)
            return port;
    }
    return 0;
}

demo_directory::demo_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mcp-reauth-demo-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("no temporary directory can be made for the demo");
    path_ = pattern;
}

demo_directory::~demo_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

demo_stage::demo_stage(bool enterprise_mode) : enterprise(enterprise_mode) {}

demo_stage::~demo_stage() {
    for (const auto& server : servers)
        server->stop();
    if (authorization)
        authorization->stop();
    if (idp)
        idp->stop();
    work_.reset();
    if (thread_.joinable())
        thread_.join();
}

result<void> demo_stage::start() {
    demo_authorization_options options;
    if (enterprise) {
        demo_idp_options organisation;
        organisation.client_at = [this](const std::string& client, const std::string& audience) {
            return client == "mcp-reauth" && audience == authorization->issuer() ? "reauth-at-acme" : "";
        };
        idp = std::make_unique<demo_identity_provider>(io.get_executor(), std::move(organisation));
        options.assertion_check = [this](std::string_view assertion) {
            return idp->check_id_jag(assertion, authorization->issuer());
        };
        idp->server().add_client({"mcp-reauth",
                                  "demo-idp-secret",
                                  "mcp-reauth",
                                  "client_secret_basic",
                                  {"http://127.0.0.1/oauth/callback"},
                                  {"authorization_code", "refresh_token"}});
        const auto bound = idp->start(demo_free_port(8975));
        if (!bound)
            return bound.error();
    }
    authorization = std::make_unique<demo_authorization_server>(io.get_executor(), std::move(options));
    if (enterprise)
        authorization->add_client({"reauth-at-acme",
                                   "demo-client-secret",
                                   "mcp-reauth",
                                   "client_secret_basic",
                                   {},
                                   {"urn:ietf:params:oauth:grant-type:jwt-bearer"}});
    const auto issuer = authorization->start(enterprise ? demo_free_port(8976) : 0);
    if (!issuer)
        return issuer.error();
    const std::vector<std::string> names =
        enterprise ? std::vector<std::string>{"wiki", "tickets"} : std::vector<std::string>{"demo"};
    std::uint16_t port = 8977;
    for (const auto& name : names) {
        demo_mcp_options mcp;
        mcp.name = name;
        mcp.authorization_servers = {*issuer};
        mcp.check = [this](std::string_view token) { return authorization->inspect(token); };
        servers.push_back(std::make_unique<demo_mcp_server>(io.get_executor(), std::move(mcp)));
        const auto url = servers.back()->start(enterprise ? demo_free_port(port++) : 0);
        if (!url)
            return url.error();
    }
    thread_ = std::thread([this] { io.run(); });
    return {};
}

std::string demo_stage::yaml(std::uint16_t listen_port, std::uint16_t approval_port,
                             bool second_upstream) const {
    std::string text = "listen: 127.0.0.1:" + std::to_string(listen_port) +
                       "\napproval: {listen: \"127.0.0.1:" + std::to_string(approval_port) +
                       "\", open_browser: never}\nvault: {backend: memory}\nlimits: {refresh_ahead: "
                       "1s}\negress: {allow: [127.0.0.0/8]}\n";
    if (enterprise)
        text += "identity_providers:\n  acme:\n    issuer: " + idp->issuer() +
                "\n    client: {id: mcp-reauth, secret: demo-idp-secret}\n";
    text += "upstreams:\n";
    if (!enterprise) {
        text += "  demo: {url: \"" + servers.front()->url() + "\"}\n";
        if (second_upstream)
            text += "  yours: {url: \"" + servers.front()->url() + "\"}\n";
        return text;
    }
    for (std::size_t i = 0; i < servers.size(); ++i)
        text +=
            std::string("  ") + (i == 0 ? "wiki" : "tickets") + ":\n    url: " + servers[i]->url() +
            "\n    grant: enterprise\n    identity_provider: acme\n    client: {id: reauth-at-acme, secret: "
            "demo-client-secret, issuer: \"" +
            authorization->issuer() + "\"}\n";
    return text;
}

result<config> demo_stage::proxy_config(std::uint16_t listen_port, std::uint16_t approval_port,
                                        bool second_upstream) const {
    config_inputs inputs;
    inputs.environment = {{"HOME", directory_.path()}, {"XDG_STATE_HOME", directory_.path()}};
    inputs.flags = {{"log.level", "error"}};
    return load_config_text(yaml(listen_port, approval_port, second_upstream), "demo.yaml", inputs);
}

} // namespace reauth
