// Written to and read from JSON for the vault.
#include "policy/life/shared_question.hpp"

#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

using nlohmann::json;

/// A call that is shown at length, escaped twice over.
constexpr json_bounds stored_question{1u << 20, small_document.depth, small_document.values};

/// The value whose word that is; the first one for a word of another version.
template<class E>
E from_word(const std::string& word, std::initializer_list<E> all) {
    for (const auto e : all)
        if (to_string(e) == word)
            return e;
    return *all.begin();
}

approval_kind kind_from(const std::string& word) {
    return from_word(
        word, {approval_kind::login, approval_kind::step_up, approval_kind::idp_login, approval_kind::call});
}

approval_status status_from(const std::string& word) {
    return from_word(word, {approval_status::failed, approval_status::pending, approval_status::authorizing,
                            approval_status::approved, approval_status::denied, approval_status::expired,
                            approval_status::superseded, approval_status::signed_out});
}

recovery_step step_from(const std::string& word) {
    return from_word(word, {recovery_step::login, recovery_step::refresh, recovery_step::client_credentials,
                            recovery_step::jwt_bearer, recovery_step::enterprise_mint,
                            recovery_step::static_token, recovery_step::idp_login});
}

json calls_to_json(const shown_calls& shown) {
    auto out = json::array();
    for (const auto& c : shown.calls)
        out.push_back({{"method", c.method}, {"tool", c.tool}, {"arguments", c.arguments}, {"also", c.also}});
    return out;
}

shown_calls calls_from_json(const json& in) {
    shown_calls out;
    for (const auto& c : in.value("calls", json::array()))
        out.calls.push_back({json_string(c, "method"), json_string(c, "tool"), json_string(c, "arguments"),
                             json_string(c, "also")});
    out.hidden = static_cast<std::size_t>(std::max<std::int64_t>(0, json_integer(in, "hidden").value_or(0)));
    return out;
}

json approval_to_json(const approval& a) {
    return {{"id", a.id},
            {"link", a.link_secret.reveal()},
            {"kind", to_string(a.kind)},
            {"status", to_string(a.status)},
            {"upstream", a.upstream},
            {"principal", a.principal},
            {"reason", a.reason},
            {"granted", a.granted.to_string()},
            {"requested", a.requested.to_string()},
            {"added", a.added.to_string()},
            {"acr_values", a.acr_values},
            {"max_age", a.max_age ? json(a.max_age->count()) : json()},
            {"tool", a.tool},
            {"method", a.method},
            {"client", a.client_name},
            {"arguments", a.arguments},
            {"calls", calls_to_json(a.calls)},
            {"hidden", a.calls.hidden},
            {"target", a.target},
            {"wished", a.wished},
            {"digest", a.digest},
            {"used", a.used},
            {"upstream_host", a.upstream_host},
            {"issuer", a.issuer},
            {"login_host", a.login_host},
            {"token_host", a.token_host},
            {"issuer_before", a.issuer_before},
            {"login_host_before", a.login_host_before},
            {"token_host_before", a.token_host_before},
            {"completes_without_login", a.completes_without_login},
            {"created_at", stored_time(a.created_at)},
            {"expires_at", stored_time(a.expires_at)},
            {"location", a.location},
            {"location_until", a.location_until ? json(stored_time(*a.location_until)) : json()},
            {"device_offered", a.device_offered},
            {"user_code", a.user_code},
            {"verification_uri", a.verification_uri},
            {"outcome", a.outcome}};
}

approval approval_from_json(const json& in) {
    const auto text = [&](const char* name) { return in.at(name).get<std::string>(); };
    approval a;
    a.id = text("id");
    a.link_secret = secret(text("link"));
    a.kind = kind_from(text("kind"));
    a.status = status_from(text("status"));
    a.upstream = text("upstream");
    a.principal = text("principal");
    a.reason = text("reason");
    a.granted = scope_set::parse(text("granted"));
    a.requested = scope_set::parse(text("requested"));
    a.added = scope_set::parse(text("added"));
    a.tool = text("tool");
    a.method = text("method");
    a.client_name = text("client");
    a.upstream_host = text("upstream_host");
    a.issuer = text("issuer");
    a.login_host = text("login_host");
    a.token_host = text("token_host");
    a.completes_without_login = in.at("completes_without_login").get<bool>();
    a.created_at = time_stored(in.at("created_at"));
    a.expires_at = time_stored(in.at("expires_at"));
    a.location = text("location");
    a.outcome = text("outcome");
    if (const auto until = in.find("location_until"); until != in.end() && !until->is_null())
        a.location_until = time_stored(*until);
    a.acr_values = in.value("acr_values", std::string());
    if (const auto age = json_integer(in, "max_age"))
        a.max_age = std::chrono::seconds(*age);
    a.arguments = in.value("arguments", std::string());
    a.calls = calls_from_json(in);
    a.target = in.value("target", std::string());
    a.issuer_before = in.value("issuer_before", std::string());
    a.login_host_before = in.value("login_host_before", std::string());
    a.token_host_before = in.value("token_host_before", std::string());
    a.wished = in.value("wished", false);
    a.digest = in.value("digest", std::string());
    a.used = in.value("used", false);
    a.device_offered = in.value("device_offered", false);
    a.user_code = in.value("user_code", std::string());
    a.verification_uri = in.value("verification_uri", std::string());
    return a;
}

} // namespace

std::string question_place(const std::string& url, const std::string& resource) {
    return url + " " + resource;
}

shared_question seen_from(shared_question q, const std::string& redirect_uri) {
    // a device login comes back to nobody: whoever asks the token endpoint goes on
    if (q.shown.status != approval_status::authorizing || q.redirect_uri == redirect_uri ||
        !q.shown.user_code.empty())
        return q;
    q.shown.status = approval_status::pending;
    q.shown.location.clear();
    q.pending_state = secret();
    q.browser_binding.reset();
    q.redirect_uri.clear();
    return q;
}

secret question_to_json(const shared_question& q) {
    json out{{"approval", approval_to_json(q.shown)},
             {"session", q.session},
             {"name", q.name},
             {"place", q.place},
             {"login_scopes", q.login_scopes.to_string()},
             {"silent_scopes", q.silent_scopes.to_string()},
             {"silent", json::array()},
             {"person", to_string(q.person)},
             {"step_up", q.step_up},
             {"rule", q.rule},
             {"generation", q.generation},
             {"resource_metadata", q.resource_metadata},
             {"pending_state", q.pending_state.reveal()},
             {"redirect_uri", q.redirect_uri}};
    for (const auto step : q.silent)
        out["silent"].push_back(to_string(step));
    if (q.browser_binding)
        out["browser_binding"] = q.browser_binding->reveal();
    // names from outside need not be UTF-8
    return secret(json_text(out));
}

result<shared_question> question_from_json(const secret& text) {
    const auto in = read_json(text.reveal(), stored_question).value_or(json());
    failure unreadable = failure::permanent(fault::vault_unavailable, "a stored approval cannot be read",
                                            "send the request again");
    if (!in.is_object())
        return unreadable;
    try {
        shared_question q;
        q.shown = approval_from_json(in.at("approval"));
        q.session = in.at("session").get<bool>();
        q.name = in.at("name").get<std::string>();
        q.place = in.at("place").get<std::string>();
        q.login_scopes = scope_set::parse(in.at("login_scopes").get<std::string>());
        q.silent_scopes = scope_set::parse(in.at("silent_scopes").get<std::string>());
        for (const auto& step : in.at("silent"))
            q.silent.push_back(step_from(step.get<std::string>()));
        q.person = step_from(in.at("person").get<std::string>());
        q.step_up = in.at("step_up").get<bool>();
        q.rule = in.at("rule").get<std::string>();
        const auto generation = json_integer(in, "generation");
        if (!generation || *generation < 0)
            return unreadable;
        q.generation = static_cast<std::uint64_t>(*generation);
        q.resource_metadata = in.at("resource_metadata").get<std::string>();
        q.pending_state = secret(in.at("pending_state").get<std::string>());
        q.redirect_uri = in.at("redirect_uri").get<std::string>();
        if (in.contains("browser_binding"))
            q.browser_binding = secret(in.at("browser_binding").get<std::string>());
        return q;
    } catch (const json::exception&) {
        return unreadable;
    }
}

} // namespace reauth
