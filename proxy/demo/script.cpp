// The demo's script: sign-in, expiries, a revocation, a step-up.
#include "proxy/demo/script.hpp"

namespace reauth {

using clock = std::chrono::steady_clock;

namespace {

std::string took(clock::duration time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    const std::string text = std::to_string(ms) + " ms";
    return std::string(text.size() < 8 ? 8 - text.size() : 0, ' ') + text;
}

} // namespace

demo_script::demo_script(demo_stage& stage, demo_narrator& narrator, demo_person& person,
                         const std::string& proxy_url)
    : stage_(stage), narrator_(narrator), person_(person) {
    const std::vector<std::string> names =
        stage.enterprise ? std::vector<std::string>{"wiki", "tickets"} : std::vector<std::string>{"demo"};
    for (std::size_t i = 0; i < names.size(); ++i)
        actors_.push_back(
            {names[i], stage.servers[i].get(), demo_client_session(proxy_url + "/" + names[i])});
}

void demo_script::failed(const std::string& what, const failure& why) {
    ++outcome_.errors;
    narrator_.say(demo_speaker::client, narrator_.bad(what + " failed: " + why.message));
}

std::uint64_t demo_script::renewals() const {
    const auto seen = stage_.authorization->counters();
    return stage_.enterprise ? seen.jwt_bearers - std::min(issued_with_person_, seen.jwt_bearers)
                             : seen.refreshes;
}

void demo_script::connect(actor& who) {
    narrator_.say(demo_speaker::client, "→ " + who.name + "  initialize");
    const auto minted_before = stage_.authorization->counters().jwt_bearers;
    const auto start = clock::now();
    const auto answer = who.session.open();
    issued_with_person_ += stage_.authorization->counters().jwt_bearers - minted_before;
    if (!answer)
        return failed("initialize", answer.error());
    narrator_.say(demo_speaker::client, "← " + who.name + "  initialize       " + narrator_.good("ok") + " " +
                                            took(clock::now() - start) + "   it only had to wait");
}

void demo_script::echo(actor& who, const std::string& note) {
    const auto challenged_before = who.server->challenges();
    const std::string text = "hello " + std::to_string(++who.echoes);
    const auto start = clock::now();
    const auto answer = who.session.call("echo", {{"text", text}});
    const auto time = clock::now() - start;
    if (!answer)
        return failed("echo", answer.error());
    if (*answer != text)
        return failed("echo",
                      failure::permanent(fault::upstream_malformed, "the answer was \"" + *answer + "\""));
    outcome_.longest_call = std::max(outcome_.longest_call, std::chrono::duration_cast<duration>(time));
    narrator_.say(demo_speaker::client, "← " + who.name + "  echo \"" + text + "\"" +
                                            std::string(text.size() < 9 ? 9 - text.size() : 0, ' ') +
                                            narrator_.good("ok") + " " + took(time) + note);
    const auto renewed = renewals() - told_;
    told_ += renewed;
    const bool challenged = who.server->challenges() > challenged_before;
    const std::string how = stage_.enterprise ? "minted a new one at the identity provider" : "refreshed it";
    if (renewed > 0 && challenged)
        narrator_.say(demo_speaker::proxy, "  got a 401 for that call, " + how +
                                               ", sent the call again (renewal " +
                                               std::to_string(renewals()) + ")");
    else if (renewed > 0)
        narrator_.say(demo_speaker::proxy, "  the token was running out: " + how + " (renewal " +
                                               std::to_string(renewals()) + ")");
}

void demo_script::survive_expiries() {
    narrator_.line();
    narrator_.line("The client calls once a second. Every token lives 5 s.");
    // three lifetimes and a bit, more only where a renewal came late
    const auto wanted = 3 * actors_.size();
    auto next = clock::now();
    for (int second = 0; second < 25 && outcome_.errors < 5; ++second) {
        if (second > 15 && renewals() >= wanted)
            break;
        for (auto& who : actors_)
            echo(who, "");
        next += std::chrono::seconds(1);
        std::this_thread::sleep_until(next);
    }
}

void demo_script::survive_revocation() {
    narrator_.line();
    narrator_.say(demo_speaker::server, "an administrator revokes the access token before its time");
    stage_.authorization->kill_access_tokens();
    for (auto& who : actors_)
        echo(who, "");
}

void demo_script::publish(actor& who) {
    narrator_.line();
    narrator_.say(demo_speaker::client,
                  "→ " + who.name + "  publish   (a tool that needs the scope notes:write)");
    const auto start = clock::now();
    const auto minted_before = stage_.authorization->counters().jwt_bearers;
    const auto answer = who.session.call("publish", {{"text", "written by a client without OAuth"}});
    issued_with_person_ += stage_.authorization->counters().jwt_bearers - minted_before;
    if (!answer)
        return failed("publish", answer.error());
    published_ = true;
    narrator_.say(demo_speaker::client, "← " + who.name + "  publish          " + narrator_.good("ok") + " " +
                                            took(clock::now() - start));
}

demo_outcome demo_script::play() {
    narrator_.line();
    for (auto& who : actors_)
        connect(who);
    if (outcome_.errors == 0) {
        survive_expiries();
        survive_revocation();
        publish(actors_.front());
    }
    judge();
    return outcome_;
}

void demo_script::judge() {
    const auto seen = stage_.authorization->counters();
    std::uint64_t echoes = 0, executed = 0, published = 0;
    for (const auto& who : actors_) {
        outcome_.requests += who.session.requests();
        outcome_.challenges_absorbed += who.server->challenges() + who.server->scope_challenges();
        echoes += who.echoes;
        executed += who.server->executed("tools/call echo");
        published += who.server->executed("tools/call publish");
    }
    person_.stop(); // the client may have its answer before the person's last page is read
    outcome_.approvals = person_.approved();
    outcome_.renewals = renewals();
    outcome_.refresh_reuses = seen.refresh_reuses;
    const auto claim = [&](const std::string& what, bool held) { outcome_.claims.push_back({what, held}); };
    claim("the client saw no error", outcome_.errors == 0);
    claim("every echo ran exactly once", echoes > 0 && echoes == executed);
    claim("tokens were renewed silently at least 3 times for each upstream",
          outcome_.renewals >= 3 * actors_.size());
    claim("no refresh token was used twice", seen.refresh_reuses == 0);
    claim("publish ran exactly once, after the step-up", published_ && published == 1);
    claim("a person was asked twice: to sign in, and for more scope",
          outcome_.approvals == 2 && person_.failed() == 0);
    if (stage_.enterprise)
        claim("one login served both upstreams", stage_.idp->server().counters().authorizations == 1);
    else
        claim("the authorization server saw two sign-ins", seen.authorizations == 2);
}

} // namespace reauth
