// The policy's rules as they are written.
#include "conf/readers.hpp"

#include "core/display_text.hpp"

namespace reauth {

using namespace std::chrono_literals;

namespace {

std::vector<std::string> words(section& s, std::string_view key) {
    std::vector<std::string> out;
    for (auto& t : s.texts(key))
        out.push_back(std::move(t.text));
    if (out.empty() && s.has(key))
        s.error(key, "is empty and would match nothing; give a value or remove it.");
    return out;
}

rule_match read_match(section s, reading& r) {
    rule_match m;
    m.upstream = words(s, "upstream");
    m.scopes = words(s, "scopes");
    m.method = words(s, "method");
    m.tool = words(s, "tool");
    m.principal = words(s, "principal");
    m.grant = words(s, "grant");
    for (const auto& t : s.texts("reason")) {
        using enum challenge_reason;
        bool known = false;
        for (auto reason : {unauthorized, token_expired, invalid_token, insufficient_scope})
            if (t.text == to_string(reason)) {
                m.reason.push_back(reason);
                known = true;
            }
        if (!known)
            r.problems.error(t.at, "match.reason must be unauthorized, token_expired, invalid_token or "
                                   "insufficient_scope, not '" +
                                       clean_text(t.text, 60) + "'" +
                                       did_you_mean(t.text, {"unauthorized", "token_expired", "invalid_token",
                                                             "insufficient_scope"}) +
                                       ".");
    }
    s.finish();
    return m;
}

wait_settings read_wait(section s) {
    wait_settings w;
    s.choice<wait_mode>("mode", w.mode,
                        {{"auto", wait_mode::automatic},
                         {"stream", wait_mode::stream},
                         {"hold", wait_mode::hold},
                         {"elicit", wait_mode::elicit},
                         {"fail", wait_mode::fail}});
    if (s.has("timeout"))
        s.duration("timeout", w.timeout.emplace(50s), 0ms);
    s.duration("grace", w.grace, 0ms);
    s.duration("heartbeat", w.heartbeat, 1s);
    s.finish();
    return w;
}

} // namespace

std::vector<rule> read_policy(section& top, reading& r, const std::string& file) {
    std::vector<rule> rules;
    const auto nodes = top.mappings("policy");
    bool all_matched = false;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto* n = nodes[i];
        section s(r, n, "policy[" + std::to_string(i) + "]", n->at);
        rule one;
        one.where = (file.empty() ? "configuration" : file) + ":" + std::to_string(n->at.line);
        s.text("name", one.name);
        one.name = clean_text(one.name);
        one.match = read_match(s.sub("match"), r);
        if (!s.has("action"))
            s.error("action", "is missing: silent, confirm, interactive, deny, approve or pass.");
        s.choice<rule_action>("action", one.action,
                              {{"silent", rule_action::silent},
                               {"confirm", rule_action::confirm},
                               {"interactive", rule_action::interactive},
                               {"deny", rule_action::deny},
                               {"approve", rule_action::approve},
                               {"pass", rule_action::pass}});
        one.wait = read_wait(s.sub("wait"));
        const bool names_calls = !one.match.tool.empty() || !one.match.method.empty();
        const bool of_challenges =
            !one.match.reason.empty() || !one.match.scopes.empty() || !one.match.grant.empty();
        if (one.action == rule_action::approve && (!names_calls || of_challenges))
            s.error("action",
                    "approve is for calls before they are sent: match tool or method (and upstream, "
                    "principal), nothing of a challenge.");
        s.finish();
        if (all_matched)
            r.problems.warning(n->at, "this rule is never reached: one before it matches everything.");
        const auto& m = one.match;
        all_matched =
            all_matched || (m.upstream.empty() && m.reason.empty() && m.scopes.empty() && m.method.empty() &&
                            m.tool.empty() && m.principal.empty() && m.grant.empty());
        rules.push_back(std::move(one));
    }
    return rules;
}

} // namespace reauth
