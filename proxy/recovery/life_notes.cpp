// Words, and what is worth telling.
#include "proxy/recovery/life_notes.hpp"

#include "core/oauth/challenge.hpp"

namespace reauth {

std::string_view name_of(const life::discover&) {
    return "discovery";
}
std::string_view name_of(const life::lock&) {
    return "lock";
}
std::string_view name_of(const life::unlock&) {
    return "unlock";
}
std::string_view name_of(const life::look&) {
    return "look";
}
std::string_view name_of(const life::run&) {
    return "token request";
}
std::string_view name_of(const life::store&) {
    return "store";
}
std::string_view name_of(const life::undo_store&) {
    return "undo";
}
std::string_view name_of(const life::erase&) {
    return "erase";
}
std::string_view name_of(const life::take_call&) {
    return "use approval";
}
std::string_view name_of(const life::revoke&) {
    return "revocation";
}
std::string_view name_of(const life::retire&) {
    return "retire";
}
std::string_view name_of(const life::begin_sign_in&) {
    return "begin sign-in";
}
std::string_view name_of(const life::await_device&) {
    return "await device";
}
std::string_view name_of(const life::release_binding&) {
    return "to another device";
}
std::string_view name_of(const life::redeem&) {
    return "redeem code";
}
std::string_view name_of(const life::discard_pending&) {
    return "sign-in given up";
}

namespace {

std::string text(bool b) {
    return b ? "yes" : "no";
}

std::string operations_text(const std::vector<operation>& all) {
    constexpr std::size_t most = 5;
    std::string out;
    for (std::size_t i = 0; i < all.size() && i < most; ++i)
        out += (out.empty() ? "" : ", ") + all[i].method + (all[i].tool.empty() ? "" : " " + all[i].tool);
    if (all.size() > most)
        out += " and " + std::to_string(all.size() - most) + " more";
    return out;
}

std::string steps_text(const std::vector<recovery_step>& all) {
    std::string out;
    for (const auto s : all)
        out += (out.empty() ? "" : ", ") + std::string(to_string(s));
    return out;
}

void add_failure(timeline_facts& out, const failure& why) {
    out.emplace_back("code", std::string(to_string(why.code)));
    out.emplace_back("message", why.describe());
}

timeline_facts outcome(bool worked, const char* word = "ok") {
    timeline_facts out;
    if (worked)
        out.emplace_back("outcome", word);
    return out;
}

template<class T>
timeline_facts outcome_of(const result<T>& r) {
    auto out = outcome(r.has_value());
    if (!r)
        add_failure(out, r.error());
    return out;
}

struct end_reader {
    timeline_facts operator()(const life::discovered& e) const {
        auto out = outcome_of(e.found);
        if (e.found)
            out.emplace_back("issuer", e.found->server.issuer);
        return out;
    }
    timeline_facts operator()(const life::locked& e) const { return outcome_of(e.won); }
    timeline_facts operator()(const life::looked& e) const {
        auto out = outcome_of(e.found);
        if (e.found) {
            out.emplace_back("held", text(e.found->value.has_value()));
            out.emplace_back("generation", std::to_string(e.found->generation));
        }
        return out;
    }
    timeline_facts operator()(const life::flow_ended& e) const {
        auto out = outcome_of(e.fresh);
        if (e.fresh)
            out.emplace_back("scopes", e.fresh->granted.to_string());
        return out;
    }
    timeline_facts operator()(const life::stored& e) const {
        if (e.is != life::store_result::failed)
            return outcome(true, e.is == life::store_result::saved ? "saved" : "newer there");
        timeline_facts out;
        add_failure(out, e.why);
        return out;
    }
    timeline_facts operator()(const life::sign_in_begun& e) const { return outcome_of(e.begun); }
    timeline_facts operator()(const life::binding_released& e) const { return outcome_of(e.done); }
    timeline_facts operator()(const life::erased& e) const { return outcome_of(e.done); }
    timeline_facts operator()(const life::revoked& e) const {
        auto out = outcome(!e.done.trouble);
        if (e.done.trouble)
            add_failure(out, *e.done.trouble);
        return out;
    }
    timeline_facts operator()(const life::call_taken& e) const {
        auto out = outcome_of(e.ours);
        if (e.ours && !*e.ours)
            out = outcome(true, "used elsewhere");
        return out;
    }
    template<class Other>
    timeline_facts operator()(const Other&) const {
        return {};
    }
};

} // namespace

timeline_facts end_of(const life_event& end) {
    return std::visit(end_reader{}, end);
}

timeline_facts facts_of(const life::judged& a) {
    const auto& f = a.facts;
    const auto& j = a.what;
    timeline_facts out{
        {"outcome", outcome_word(j)},
        {"reason", std::string(to_string(j.facts.reason))},
        {"rule", j.rule_name()},
        {"action", j.rule_name().empty() ? std::string() : std::string(to_string(j.rule.action))},
        {"steps", steps_text(j.plan.silent)},
        {"person", j.plan.person ? std::string(to_string(*j.plan.person)) : std::string()},
        {"added", j.plan.added.to_string()},
        {"held", text(f.recovery.held)},
        {"refresh_token", text(f.recovery.refresh_token)},
        {"granted", f.recovery.granted.to_string()},
        {"because", j.rule.explanation}};
    if (f.silent_failure)
        out.emplace_back("silent_failure", f.silent_failure->describe());
    for (const auto& o : j.rule.observed)
        out.emplace_back("observed",
                         (o.name.empty() ? o.where : o.name) + ": " + std::string(to_string(o.action)));
    if (j.move == next_move::answer || j.move == next_move::relay)
        out.emplace_back("message", j.why.message);
    return out;
}

timeline_facts facts_of(const life::refusal& what, const std::string& sent) {
    const auto& c = what.challenge;
    return {{"kind", std::string(to_string(c.kind))},
            {"error", c.error},
            {"description", c.error_description},
            {"scope", c.scope ? c.scope->to_string() : std::string()},
            {"acr_values", c.acr_values},
            {"seen_by", what.notice_only ? "us: it has expired" : "the upstream"},
            {"generation", sent},
            {"client", what.client_name},
            {"operations", operations_text(what.operations)}};
}

timeline_facts facts_of(const life::show& a) {
    return {{"id", a.now.id},
            {"kind", std::string(to_string(a.now.kind))},
            {"status", std::string(to_string(a.now.status))},
            {"by", a.now.decided_by},
            {"scopes", a.now.requested.to_string()},
            {"tool", a.now.tool},
            {"digest", a.now.digest},
            {"outcome", a.now.outcome}};
}

timeline_facts facts_of(const recovery_verdict& v) {
    switch (v.is) {
    case recovery_verdict::kind::replay:
        return {{"outcome", v.same_credential ? "sent again, with the same token" : "sent again"}};
    case recovery_verdict::kind::relay:
        return {{"outcome", "the upstream's own answer"}};
    case recovery_verdict::kind::fail:
        break;
    }
    timeline_facts out{{"outcome", "answered with an error"}};
    add_failure(out, v.why);
    return out;
}

} // namespace reauth
