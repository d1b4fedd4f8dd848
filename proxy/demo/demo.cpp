// `mcp-reauth demo`: builds the stage, starts the proxy in this process, plays the script, checks what it
// claimed.
#include "proxy/demo/demo.hpp"

#include "conf/load.hpp"
#include "core/json/json_reader.hpp"
#include "proxy/demo/script.hpp"
#include "proxy/log/log.hpp"
#include "proxy/service/running_file.hpp"
#include "proxy/service/runtime.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>

namespace reauth {

namespace {

int give_up(const failure& why) {
    std::fprintf(stderr, "mcp-reauth demo: %s\n", why.describe().c_str());
    return 1;
}

std::vector<std::string> upstream_names(const demo_stage& stage, bool keep) {
    if (stage.enterprise)
        return {"wiki", "tickets"};
    return keep ? std::vector<std::string>{"demo", "yours"} : std::vector<std::string>{"demo"};
}

void tell_if_moved(std::uint16_t wanted, std::uint16_t got, demo_narrator& narrator) {
    if (wanted != got)
        narrator.say(demo_speaker::proxy,
                     "port " + std::to_string(wanted) + " is taken, so " + std::to_string(got) + " is used");
}

void introduce(const demo_stage& stage, const std::string& proxy_url, const std::string& page_url,
               demo_narrator& narrator) {
    narrator.line(narrator.strong("mcp-reauth demo") +
                  ": a client that knows nothing of OAuth, a server that insists on it.");
    narrator.line();
    for (const auto& server : stage.servers)
        narrator.say(demo_speaker::server,
                     "MCP server            " + server->url() + "   wants a token for everything");
    narrator.say(demo_speaker::server,
                 "authorization server  " + stage.authorization->issuer() + "       tokens live 5 s" +
                     (stage.enterprise ? ", only for bearers of the organisation's ID-JAG"
                                       : ", refresh tokens rotate"));
    if (stage.enterprise)
        narrator.say(demo_speaker::server,
                     "identity provider     " + stage.idp->issuer() + "       the organisation's login");
    for (const std::string& name : upstream_names(stage, false))
        narrator.say(demo_speaker::proxy,
                     "for the client        " + proxy_url + "/" + name + "   all that the client knows");
    narrator.say(demo_speaker::proxy, "approval page         " + page_url + "       where a person decides");
}

void wait_for_the_end() {
    asio::io_context io;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([](const error_code&, int) {});
    io.run();
}

/// Tells what a real client and a person can do now, and waits for Ctrl-C.
void stay(const demo_stage& stage, const std::string& proxy_url, const std::string& page_url, server& proxy,
          demo_narrator& narrator) {
    narrator.line(narrator.strong("Your turn") + ": everything stays up until Ctrl-C.");
    narrator.say(demo_speaker::client, "point a real MCP client at");
    for (const std::string& name : upstream_names(stage, true))
        narrator.say(demo_speaker::client, "  " + narrator.strong(proxy_url + "/" + name) +
                                               (name == "yours" ? "   nobody has signed in here yet" : ""));
    narrator.say(demo_speaker::client, "  e.g.  claude mcp add --transport http demo " + proxy_url + "/demo");
    narrator.say(demo_speaker::client, "  or    mcp-reauth client-config " +
                                           upstream_names(stage, true).front() +
                                           " --for cursor   (in another terminal; it finds this demo)");
    narrator.say(demo_speaker::person, "what needs you is printed here with its link; the dashboard, once: " +
                                           narrator.strong(proxy.dashboard_link()));
    demo_person watcher(page_url, proxy.operator_token(), narrator, false);
    wait_for_the_end();
    watcher.stop();
}

} // namespace

int run_demo(demo_options options) {
    demo_narrator narrator(options.json);
    demo_stage stage(options.enterprise);
    if (const auto started = stage.start(); !started)
        return give_up(started.error());

    const auto listen_port = demo_free_port(options.listen_port);
    const auto approval_port = demo_free_port(options.approval_port);
    const auto settings = stage.proxy_config(listen_port, approval_port, options.keep);
    if (!settings)
        return give_up(settings.error());
    start_log(settings->log);
    server proxy(*settings);
    if (const auto started = proxy.start(); !started)
        return give_up(started.error());
    const std::string proxy_url = "http://127.0.0.1:" + std::to_string(proxy.listen_port());
    const std::string page_url = "http://127.0.0.1:" + std::to_string(proxy.approval_port());

    introduce(stage, proxy_url, page_url, narrator);
    tell_if_moved(options.listen_port, listen_port, narrator);
    tell_if_moved(options.approval_port, approval_port, narrator);
    demo_person person(page_url, proxy.operator_token(), narrator, true);
    const demo_outcome outcome = demo_script(stage, narrator, person, proxy_url).play();
    person.stop();
    demo_print(outcome, options.enterprise, narrator);
    if (options.json) {
        auto summary = outcome.to_json();
        summary["proxy"] = proxy_url;
        summary["approval_page"] = page_url;
        std::printf("%s\n", json_text(summary, 2).c_str());
        std::fflush(stdout);
    }
    running_file note; // so that the command line finds it, as it finds `serve`
    if (options.keep && outcome.ok()) {
        auto about = describe_running(*settings, proxy.listen_port(), proxy.approval_port());
        about.config.clear();
        if (const auto own = default_config(process_inputs()))
            (void)note.write(own->state_directory, about);
    }
    if (options.keep && outcome.ok())
        stay(stage, proxy_url, page_url, proxy, narrator);
    proxy.stop();
    return outcome.ok() ? 0 : 1;
}

} // namespace reauth
