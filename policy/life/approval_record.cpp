// One list of fields, read and written by it; what two records have in common.
#include "policy/life/approval_record.hpp"

#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace reauth {
namespace {

using nlohmann::json;

/// A call that is shown at length, escaped twice over.
constexpr json_bounds stored_record{1u << 20, small_document.depth, small_document.values};

/// A value that record_to_json never writes.
struct not_ours : std::runtime_error {
    not_ours() : std::runtime_error("not a count") {}
};

constexpr approval_kind every_value(approval_kind) {
    return approval_kind::call;
}
constexpr approval_status every_value(approval_status) {
    return approval_status::signed_out;
}
constexpr recovery_step every_value(recovery_step) {
    return recovery_step::idp_login;
}

/// The value whose word that is; `otherwise` for a word of another version.
template<class E>
E from_word(const std::string& word, E otherwise) {
    for (int i = 0; i <= static_cast<int>(every_value(otherwise)); ++i)
        if (to_string(static_cast<E>(i)) == word)
            return static_cast<E>(i);
    return otherwise;
}

// How a value of each type is written, and read.
json written(const std::string& v) {
    return v;
}
json written(const secret& v) {
    return v.reveal();
}
json written(const scope_set& v) {
    return v.to_string();
}
json written(bool v) {
    return v;
}
json written(std::uint64_t v) {
    return v;
}
json written(time_point v) {
    return stored_time(v);
}
json written(std::chrono::seconds v) {
    return v.count();
}
json written(approval_kind v) {
    return to_string(v);
}
json written(approval_status v) {
    return to_string(v);
}
json written(recovery_step v) {
    return to_string(v);
}
json written(const std::vector<recovery_step>& v) {
    auto out = json::array();
    for (const auto step : v)
        out.push_back(to_string(step));
    return out;
}
json written(const std::vector<shown_call>& v) {
    auto out = json::array();
    for (const auto& c : v)
        out.push_back({{"method", c.method}, {"tool", c.tool}, {"arguments", c.arguments}, {"also", c.also}});
    return out;
}
template<class T>
json written(const std::optional<T>& v) {
    return v ? written(*v) : json();
}

void take(const json& in, std::string& v) {
    v = in.get<std::string>();
}
void take(const json& in, secret& v) {
    v = secret(in.get<std::string>());
}
void take(const json& in, scope_set& v) {
    v = scope_set::parse(in.get<std::string>());
}
void take(const json& in, bool& v) {
    v = in.get<bool>();
}
void take(const json& in, std::uint64_t& v) {
    if (!in.is_number_unsigned())
        throw not_ours();
    v = in.get<std::uint64_t>();
}
void take(const json& in, time_point& v) {
    v = time_stored(in);
}
void take(const json& in, std::chrono::seconds& v) {
    v = std::chrono::seconds(in.get<std::int64_t>());
}
void take(const json& in, approval_kind& v) {
    v = from_word(in.get<std::string>(), approval_kind::login);
}
void take(const json& in, approval_status& v) {
    v = from_word(in.get<std::string>(), approval_status::failed);
}
void take(const json& in, recovery_step& v) {
    v = from_word(in.get<std::string>(), recovery_step::login);
}
void take(const json& in, std::vector<recovery_step>& v) {
    for (const auto& step : in)
        take(step, v.emplace_back());
}
void take(const json& in, std::vector<shown_call>& v) {
    for (const auto& c : in)
        v.push_back({json_string(c, "method"), json_string(c, "tool"), json_string(c, "arguments"),
                     json_string(c, "also")});
}
template<class T>
void take(const json& in, std::optional<T>& v) {
    if (!in.is_null())
        take(in, v.emplace());
}

struct writer {
    json& out;
    template<class T>
    void required(const char* name, const T& v) {
        out[name] = written(v);
    }
    template<class T>
    void since(const char* name, const T& v) {
        out[name] = written(v);
    }
};

struct reader {
    const json& in;
    template<class T>
    void required(const char* name, T& v) {
        take(in.at(name), v);
    }
    /// What records of older versions lack.
    template<class T>
    void since(const char* name, T& v) {
        if (const auto found = in.find(name); found != in.end())
            take(*found, v);
    }
};

/// Every field of an approval, once, for `writer` and `reader`.
template<class Visitor, class Approval>
void each_field_shown(Visitor v, Approval& a) {
    v.required("id", a.id);
    v.required("link", a.link_secret);
    v.required("kind", a.kind);
    v.required("status", a.status);
    v.required("upstream", a.upstream);
    v.required("principal", a.principal);
    v.required("reason", a.reason);
    v.required("granted", a.granted);
    v.required("requested", a.requested);
    v.required("added", a.added);
    v.since("acr_values", a.acr_values);
    v.since("max_age", a.max_age);
    v.required("tool", a.tool);
    v.required("method", a.method);
    v.required("client", a.client_name);
    v.since("arguments", a.arguments);
    v.since("calls", a.calls.calls);
    v.since("hidden", a.calls.hidden);
    v.since("target", a.target);
    v.since("wished", a.wished);
    v.since("digest", a.digest);
    v.since("used", a.used);
    v.since("decided_by", a.decided_by);
    v.since("recovery", a.recovery);
    v.since("account_before", a.account_before);
    v.required("upstream_host", a.upstream_host);
    v.required("issuer", a.issuer);
    v.required("login_host", a.login_host);
    v.required("token_host", a.token_host);
    v.since("issuer_before", a.issuer_before);
    v.since("login_host_before", a.login_host_before);
    v.since("token_host_before", a.token_host_before);
    v.required("completes_without_login", a.completes_without_login);
    v.required("created_at", a.created_at);
    v.required("expires_at", a.expires_at);
    v.required("location", a.location);
    v.since("location_until", a.location_until);
    v.since("device_offered", a.device_offered);
    v.since("user_code", a.user_code);
    v.since("verification_uri", a.verification_uri);
    v.required("outcome", a.outcome);
}

/// … and of what is beside it.
template<class Visitor, class Record>
void each_field(Visitor v, Record& r) {
    v.required("session", r.session);
    v.required("name", r.name);
    v.required("place", r.place);
    v.required("login_scopes", r.login_scopes);
    v.required("silent_scopes", r.silent_scopes);
    v.required("silent", r.silent);
    v.required("person", r.person);
    v.required("step_up", r.step_up);
    v.required("rule", r.rule);
    v.required("generation", r.generation);
    v.required("resource_metadata", r.resource_metadata);
    v.required("pending_state", r.pending_state);
    v.required("redirect_uri", r.redirect_uri);
    v.since("browser_binding", r.browser_binding);
}

} // namespace

bool approval_record::asks_the_same(const approval_record& other) const {
    return login_scopes == other.login_scopes && confirms() == other.confirms() &&
           shown.same_authentication(other.shown);
}

bool approval_record::asks_for_more(const approval_record& other) const {
    return !other.login_scopes.empty() && confirms() == other.confirms() &&
           login_scopes.covers(other.login_scopes) && shown.same_authentication(other.shown);
}

void approval_record::take_flow(const approval_record& told) {
    shown.status = told.shown.status;
    shown.location = told.shown.location;
    shown.location_until = told.shown.location_until;
    shown.user_code = told.shown.user_code;
    shown.verification_uri = told.shown.verification_uri;
    shown.outcome = told.shown.outcome;
    pending_state = told.pending_state;
    redirect_uri = told.redirect_uri;
    browser_binding = told.browser_binding;
}

void approval_record::forget_flow() {
    pending_state = secret();
    redirect_uri.clear();
    browser_binding.reset();
}

std::string binding_place(const std::string& url, const std::string& resource) {
    return url + " " + resource;
}

approval_record seen_from(approval_record r, const std::string& redirect_uri) {
    // a device login comes back to nobody: whoever asks the token endpoint goes on
    if (r.shown.status != approval_status::authorizing || r.redirect_uri == redirect_uri ||
        !r.shown.user_code.empty())
        return r;
    r.shown.status = approval_status::pending;
    r.shown.location.clear();
    r.forget_flow();
    return r;
}

secret record_to_json(const approval_record& r) {
    auto shown = json::object();
    each_field_shown(writer{shown}, r.shown);
    json out{{"approval", std::move(shown)}};
    each_field(writer{out}, r);
    if (!r.browser_binding)
        out.erase("browser_binding"); // other versions expect a text where it stands
    // names from outside need not be UTF-8
    return secret(json_text(out));
}

result<approval_record> record_from_json(const secret& text) {
    const auto in = read_json(text.reveal(), stored_record).value_or(json());
    auto unreadable = failure::permanent(fault::vault_unavailable, "a stored approval cannot be read",
                                         "send the request again");
    if (!in.is_object())
        return unreadable;
    try {
        approval_record r;
        each_field_shown(reader{in.at("approval")}, r.shown);
        each_field(reader{in}, r);
        return r;
    } catch (const json::exception&) {
        return unreadable;
    } catch (const not_ours&) {
        return unreadable;
    }
}

} // namespace reauth
