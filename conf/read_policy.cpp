// The policy's rules as they are written.
#include "conf/readers.hpp"

#include "core/text/display_text.hpp"
#include "policy/rules/match_keys.hpp"

#include <algorithm>

namespace reauth {

using namespace std::chrono_literals;

namespace {

std::vector<std::string> words(section& s, std::string_view key, const std::vector<std::string>& known) {
    std::vector<std::string> out;
    for (auto& t : s.texts(key, {key_kind::list, known}))
        out.push_back(std::move(t.text));
    if (out.empty() && s.has(key))
        s.error(key, "is empty and would match nothing; give a value or remove it.");
    return out;
}

rule_match read_match(section s, reading& r) {
    rule_match m;
    for (const auto& key : match_keys()) {
        const std::vector<std::string> known(key.words.begin(), key.words.end());
        m.*key.wanted = words(s, key.name, known);
        if (known.empty())
            continue;
        for (const auto& t : s.texts(key.name))
            if (std::find(known.begin(), known.end(), t.text) == known.end())
                r.problems.error(t.at, "match." + std::string(key.name) + " must be " + one_of(known) +
                                           ", not '" + clean_text(t.text, 60) + "'" +
                                           did_you_mean(t.text, known) + ".");
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
    bool all_matched = false;
    for (auto& s : top.sequence("policy")) {
        const auto at = s.at();
        rule one;
        one.where = (file.empty() ? "configuration" : file) + ":" + std::to_string(at.line);
        s.text("name", one.name);
        one.name = clean_text(one.name);
        one.match = read_match(s.sub("match"), r);
        s.choice<rule_action>("action", one.action,
                              {{"silent", rule_action::silent},
                               {"confirm", rule_action::confirm},
                               {"interactive", rule_action::interactive},
                               {"deny", rule_action::deny},
                               {"approve", rule_action::approve},
                               {"pass", rule_action::pass}});
        s.require("action", "silent, confirm, interactive, deny, approve or pass.");
        one.wait = read_wait(s.sub("wait"));
        s.boolean("observe", one.observe);
        if (one.action == rule_action::approve &&
            (!names(one.match, match_scope::operation) || names(one.match, match_scope::challenge)))
            s.error("action",
                    "approve is for calls before they are sent: match tool or method (and upstream, "
                    "principal), nothing of a challenge.");
        s.finish();
        if (all_matched)
            r.problems.warning(at, "this rule is never reached: one before it matches everything.");
        all_matched = all_matched || (matches_everything(one.match) && !one.observe);
        rules.push_back(std::move(one));
    }
    return rules;
}

} // namespace reauth
