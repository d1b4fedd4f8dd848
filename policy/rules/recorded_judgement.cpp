// Facts in and out.
#include "policy/rules/recorded_judgement.hpp"

#include "core/json/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

using nlohmann::json;

std::string name_of(const rule& r) {
    return r.name.empty() ? r.where : r.name;
}

template<class E>
E from_word(const std::string& word, std::initializer_list<E> all, E otherwise) {
    for (const auto one : all)
        if (to_string(one) == word)
            return one;
    return otherwise;
}

grant_kind grant_of(const std::string& word) {
    for (const auto& [name, grant] : grant_words)
        if (name == word)
            return grant;
    return grant_kind::idp_session;
}

challenge_reason reason_of(const std::string& word) {
    return from_word(word,
                     {challenge_reason::unauthorized, challenge_reason::token_expired,
                      challenge_reason::invalid_token, challenge_reason::insufficient_scope,
                      challenge_reason::user_authentication},
                     challenge_reason::unauthorized);
}

json operations_json(const std::vector<operation>& all) {
    auto out = json::array();
    for (const auto& o : all)
        out.push_back({{"method", o.method}, {"tool", o.tool}});
    return out;
}

constexpr std::string_view person_words[] = {"may_ask", "only_waits", "never"};

} // namespace

std::string outcome_word(const judgement& j) {
    switch (j.move) {
    case next_move::answer:
        return std::string(to_string(j.why.code));
    case next_move::relay:
        return "passes";
    case next_move::silent:
        return "silent";
    case next_move::wait:
        return "waits";
    case next_move::ask:
        break;
    }
    return j.confirm_first ? "asks for confirmation" : "asks a person";
}

recorded_judgement recorded(const judgement_facts& facts, const judgement& j) {
    recorded_judgement r;
    r.facts = facts;
    r.facts.remembered = nullptr;
    if (const auto* said =
            find_remembered(facts.remembered, facts.request.principal, facts.request.upstream, j.plan.added))
        r.facts.remembered = std::make_shared<const std::vector<remembered_rule>>(1, *said);
    r.outcome = outcome_word(j);
    r.rule = j.rule_name();
    for (const auto& o : j.rule.observed)
        r.observed.push_back(name_of(o) + ": " + std::string(to_string(o.action)));
    return r;
}

recorded_judgement recorded_call(challenge_facts request, const rule_for_one& found) {
    recorded_judgement r;
    r.call = true;
    r.facts.request = std::move(request);
    r.outcome = found.matched ? "approve" : "sent";
    if (found.matched)
        r.rule = name_of(*found.matched);
    for (const auto* o : found.observed)
        r.observed.push_back(name_of(*o) + ": " + std::string(to_string(o->action)));
    return r;
}

recorded_judgement judged_again(const rule_set& rules, recorded_judgement before,
                                const std::optional<scope_set>& scopes, grant_kind grant) {
    auto& f = before.facts;
    if (before.call) {
        const auto& q = f.request;
        return recorded_call(q, rule_for_call(rules, {q.upstream, q.principal, q.groups}, q.operations));
    }
    f.recovery.configured = scopes;
    if (f.recovery.grant != grant_kind::idp_session)
        f.recovery.grant = grant;
    return recorded(f, judge(rules, f));
}

json judgement_json(const recorded_judgement& r) {
    const auto& f = r.facts;
    json out{{"upstream", f.request.upstream}, {"principal", f.request.principal},
             {"groups", f.request.groups},     {"operations", operations_json(f.request.operations)},
             {"outcome", r.outcome},           {"rule", r.rule},
             {"observed", r.observed}};
    if (r.call) {
        out["call"] = true;
        return out;
    }
    const auto& q = f.recovery;
    out["grant"] = to_string(q.grant);
    out["reason"] = to_string(q.reason);
    out["challenged"] = q.challenged.to_string();
    if (q.configured)
        out["configured"] = q.configured->to_string();
    out["supported"] = q.supported.to_string();
    out["requested"] = q.requested.to_string();
    out["granted"] = q.granted.to_string();
    out["held"] = q.held;
    out["refresh_token"] = q.refresh_token;
    out["idp_session"] = q.idp_session;
    out["idp_login"] = q.idp_login;
    out["exchange_login"] = q.exchange_login;
    out["person"] = person_words[static_cast<std::size_t>(f.person)];
    out["notice_only"] = f.notice_only;
    out["in_session"] = f.in_session;
    if (f.remembered && !f.remembered->empty())
        out["remembered"] = f.remembered->front().scopes.to_string();
    return out;
}

std::optional<recorded_judgement> judgement_from_json(const json& in) {
    if (!in.is_object() || json_string(in, "upstream").empty() || json_string(in, "outcome").empty())
        return std::nullopt;
    recorded_judgement r;
    auto& f = r.facts;
    f.request.upstream = json_string(in, "upstream");
    f.request.principal = json_string(in, "principal");
    f.request.groups = json_strings(in, "groups").value_or(std::vector<std::string>());
    if (const auto all = in.find("operations"); all != in.end() && all->is_array())
        for (const auto& o : *all)
            f.request.operations.push_back({json_string(o, "method"), json_string(o, "tool")});
    r.outcome = json_string(in, "outcome");
    r.rule = json_string(in, "rule");
    r.observed = json_strings(in, "observed").value_or(std::vector<std::string>());
    r.call = json_bool(in, "call");
    const auto scopes = [&](const char* name) { return scope_set::parse(json_string(in, name)); };
    auto& q = f.recovery;
    q.grant = grant_of(json_string(in, "grant"));
    q.reason = reason_of(json_string(in, "reason"));
    q.challenged = scopes("challenged");
    if (in.contains("configured"))
        q.configured = scopes("configured");
    q.supported = scopes("supported");
    q.requested = scopes("requested");
    q.granted = scopes("granted");
    q.held = json_bool(in, "held");
    q.refresh_token = json_bool(in, "refresh_token");
    q.idp_session = json_bool(in, "idp_session");
    q.idp_login = json_bool(in, "idp_login");
    q.exchange_login = json_bool(in, "exchange_login");
    const auto person = json_string(in, "person");
    for (std::size_t i = 0; i < std::size(person_words); ++i)
        if (person_words[i] == person)
            f.person = static_cast<person_use>(i);
    f.notice_only = json_bool(in, "notice_only");
    f.in_session = json_bool(in, "in_session");
    if (in.contains("remembered"))
        f.remembered = std::make_shared<const std::vector<remembered_rule>>(
            1, remembered_rule{"", f.request.principal, f.request.upstream, scopes("remembered"), {}});
    return r;
}

} // namespace reauth
