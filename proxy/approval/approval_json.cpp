// JSON of the approval API.
#include "proxy/approval/approval_json.hpp"
#include "core/json/json_reader.hpp"
#include "proxy/approval/approval_page.hpp"

#include "core/text/display_text.hpp"
#include "core/text/time_text.hpp"

namespace reauth {
namespace {

nlohmann::json scopes_json(const scope_set& s) {
    return s.tokens();
}

nlohmann::json time_json(const std::optional<time_point>& t) {
    return t ? nlohmann::json(rfc3339(*t)) : nlohmann::json(nullptr);
}

nlohmann::json device_json(const std::string& user_code, const std::string& verification_uri) {
    return {{"user_code", clean_text(user_code)}, {"verification_uri", clean_text(verification_uri, 400)}};
}

} // namespace

std::string calls_text(const shown_calls& shown) {
    const bool one = shown.calls.size() == 1 && shown.hidden == 0 && shown.calls[0].also.empty();
    if (one)
        return shown.calls[0].arguments;
    std::string out;
    const auto line = [&](const std::string& text) {
        if (!text.empty())
            out += (out.empty() ? "" : "\n") + text;
    };
    for (const auto& c : shown.calls) {
        line(c.method.empty() ? "(a response)" : c.method + (c.tool.empty() ? "" : " " + c.tool));
        line(c.arguments);
        line(c.also.empty() ? "" : "and also " + c.also);
    }
    if (shown.hidden > 0)
        line("… not shown: " + std::to_string(shown.hidden) + " bytes");
    return out;
}

nlohmann::json approval_json(const approval& a, const std::string& link) {
    nlohmann::json j = {
        {"id", a.id},
        {"status", to_string(a.status)},
        {"kind", to_string(a.kind)},
        {"recovery", a.recovery},
        {"upstream", clean_text(a.upstream)},
        {"reason", clean_text(a.reason)},
        {"authentication",
         {{"acr_values", clean_text(a.acr_values)},
          {"max_age", a.max_age ? nlohmann::json(a.max_age->count()) : nlohmann::json()}}},
        {"scopes",
         {{"granted", scopes_json(a.granted)},
          {"requested", scopes_json(a.requested)},
          {"added", scopes_json(a.added)}}},
        {"tool", visible_name(a.tool)},
        {"method", visible_name(a.method)},
        {"principal", clean_text(a.principal)},
        {"client", clean_text(a.client_name)},
        {"upstream_host", shown_host(a.upstream_host)},
        {"issuer", clean_text(a.issuer)},
        {"login_host", shown_host(a.login_host)},
        {"token_host", shown_host(a.token_host)},
        {"warnings", host_warnings(a)},
        {"needs_operator", a.completes_without_login},
        {"created_at", rfc3339(a.created_at)},
        {"expires_at", rfc3339(a.expires_at)},
    };
    // made visible and capped where they were read (core/mcp/shown_call.hpp)
    if (const auto text = a.calls.calls.empty() ? a.arguments : calls_text(a.calls); !text.empty())
        j["arguments"] = text;
    for (const auto& c : a.calls.calls)
        j["calls"].push_back(
            {{"method", c.method}, {"tool", c.tool}, {"arguments", c.arguments}, {"also", c.also}});
    if (a.calls.hidden > 0)
        j["not_shown"] = a.calls.hidden;
    if (!a.target.empty())
        j["target"] = visible_text(a.target);
    if (!a.digest.empty())
        j["digest"] = a.digest;
    if (a.kind == approval_kind::step_up && a.completes_without_login && !decided(a.status))
        j["rememberable"] = true;
    if (!link.empty())
        j["link"] = link;
    if (a.device_offered)
        j["device_offered"] = true;
    if (!a.user_code.empty())
        j["device"] = device_json(a.user_code, a.verification_uri);
    if (!a.account_before.empty())
        j["account_before"] = clean_text(a.account_before);
    if (!a.decided_by.empty())
        j["decided_by"] = clean_text(a.decided_by);
    if (!a.outcome.empty())
        j["outcome"] = clean_text(a.outcome, 400);
    return j;
}

nlohmann::json redirect_json(const approve_answer& answer) {
    nlohmann::json j{{"status", "redirect"}, {"location", answer.location}};
    if (!answer.user_code.empty())
        j["device"] = device_json(answer.user_code, answer.verification_uri);
    return j;
}

sign_in_method sign_in_method_from(std::string_view word) {
    return word == "device"    ? sign_in_method::device
           : word == "browser" ? sign_in_method::browser
                               : sign_in_method::as_configured;
}

nlohmann::json credential_json(const credential_summary& c) {
    return {
        {"upstream", clean_text(c.upstream)},
        {"principal", clean_text(c.principal)},
        {"issuer", clean_text(c.issuer)},
        {"account", clean_text(c.account)},
        {"grant", to_string(c.grant)},
        {"url", clean_text(c.url, 400)},
        {"client_url", clean_text(c.client_url, 400)},
        {"scopes", scopes_json(c.scopes)},
        {"held", c.held},
        {"renewable", c.renewable},
        {"saved", c.saved},
        {"expires_at", time_json(c.expires_at)},
        {"last_recovery_at", time_json(c.last_recovery_at)},
        {"last_recovery", clean_text(c.last_recovery)},
        {"last_outcome", clean_text(c.last_outcome)},
        {"last_outcome_detail", clean_text(c.last_outcome_detail, 400)},
    };
}

nlohmann::json rule_json(const remembered_rule& r) {
    return {
        {"id", r.id},
        {"upstream", clean_text(r.upstream)},
        {"principal", clean_text(r.principal)},
        {"scopes", scopes_json(r.scopes)},
        {"created_at", rfc3339(r.created_at)},
        {"rule", to_yaml(to_rule(r))},
    };
}

nlohmann::json idp_session_json(const idp_session_summary& s) {
    return {
        {"identity_provider", clean_text(s.identity_provider)},
        {"principal", clean_text(s.principal)},
        {"issuer", clean_text(s.issuer)},
        {"subject", clean_text(s.subject)},
        {"expires_at", time_json(s.expires_at)},
        {"renewable", s.renewable},
        {"supplied", s.supplied},
    };
}

namespace {

std::string lives_on(const token_left& left) {
    const auto what = left.token == "refresh_token" ? "a refresh token" : "an access token";
    return what +
           (left.until ? " until " + rfc3339(*left.until) : std::string(" until the provider ends it")) +
           " (" + clean_text(left.because) + ")";
}

std::string sign_out_message(const revocation_report& report) {
    std::string said;
    if (report.revoked > 0)
        said = report.revoked == 1 ? "One token was revoked at the provider"
                                   : std::to_string(report.revoked) + " tokens were revoked at the provider";
    else if (report.left.empty())
        return "Nothing was held that could be revoked.";
    else
        said = "Nothing could be revoked";
    for (std::size_t i = 0; i < report.left.size(); ++i)
        said += (i == 0 ? "; what lives on there: " : ", ") + lives_on(report.left[i]);
    return said + ".";
}

} // namespace

nlohmann::json sign_out_json(const revocation_report& report) {
    auto left = nlohmann::json::array();
    for (const auto& token : report.left)
        left.push_back({{"token", token.token},
                        {"issuer", clean_text(token.issuer)},
                        {"until", token.until ? nlohmann::json(rfc3339(*token.until)) : nlohmann::json()},
                        {"because", clean_text(token.because)}});
    return {{"status", "done"},
            {"revoked", report.revoked},
            {"left", std::move(left)},
            {"message", sign_out_message(report)}};
}

nlohmann::json failure_json(const failure& f) {
    return {{"error", to_string(f.code)},
            {"message", as_sentence(clean_text(f.message, 400))},
            {"fix", as_sentence(clean_text(f.fix, 400))}};
}

std::string to_text(const nlohmann::json& j) {
    return json_text(j);
}

} // namespace reauth
