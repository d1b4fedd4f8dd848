// A scan of a message's top level without building a document; errors composed.
#include "core/mcp/json_rpc.hpp"

#include "core/json/json_mend.hpp"
#include "core/json/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace reauth {
namespace {

using nlohmann::json;

constexpr std::size_t max_depth = 256;
constexpr std::size_t max_batch = 1000;

/// Walks the events and remembers the path of keys that leads to each interesting scalar.
class shallow_reader {
public:
    explicit shallow_reader(rpc_body& out) : out_(out) {}

    bool null() { return scalar("", ""); }
    bool boolean(bool) { return scalar("", ""); }
    bool number_integer(json::number_integer_t v) { return scalar(std::to_string(v), ""); }
    bool number_unsigned(json::number_unsigned_t v) { return scalar(std::to_string(v), ""); }
    bool number_float(json::number_float_t, const std::string& text) { return scalar(text, ""); }
    bool string(std::string& v) {
        // only what is kept is encoded again: a large argument costs no copy
        if (interesting())
            return scalar(json_text_of(v), v);
        return scalar("", "");
    }
    bool binary(json::binary_t&) { return false; }
    bool key(std::string& k) {
        auto& here = levels_.back();
        if (is_member_level() && !here.seen.insert(k).second)
            return false;
        here.key = std::move(k);
        return true;
    }
    bool start_object(std::size_t) {
        if (levels_.size() >= max_depth)
            return false;
        if (levels_.size() == base()) {
            if (out_.messages.size() == max_batch)
                return false;
            out_.messages.emplace_back();
            names_ = {};
        } else if (levels_.empty()) {
            return false;
        }
        note_container();
        levels_.push_back({});
        return true;
    }
    bool end_object() {
        levels_.pop_back();
        if (levels_.size() == base()) // only now the method is known: it may stand last
            out_.messages.back().tool = operation_name(out_.messages.back().method, names_);
        return true;
    }
    bool start_array(std::size_t) {
        if (levels_.size() >= max_depth)
            return false;
        if (levels_.empty())
            out_.batch = true;
        else if (levels_.size() == 1 && out_.batch)
            return false; // a batch holds objects only
        levels_.push_back({});
        levels_.back().array = true;
        return true;
    }
    bool end_array() {
        levels_.pop_back();
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

private:
    struct level {
        std::string key;
        std::set<std::string> seen;
        bool array = false;
    };

    std::size_t base() const { return out_.batch ? 1 : 0; }
    /// Keys of the message itself, of params and of params._meta: those must not be repeated.
    bool is_member_level() const { return levels_.size() <= base() + 3; }
    std::size_t depth() const { return levels_.size() - base(); }
    const std::string& key_at(std::size_t i) const { return levels_[base() + i].key; }
    bool arrays_between() const {
        return std::any_of(levels_.begin() + static_cast<std::ptrdiff_t>(base()), levels_.end(),
                           [](const level& l) { return l.array; });
    }

    bool interesting() const {
        if (levels_.size() <= base() || depth() > 4 || arrays_between())
            return false;
        if (depth() == 1)
            return key_at(0) == "id" || key_at(0) == "method";
        if (key_at(0) != "params")
            return false;
        if (depth() == 2)
            return key_at(1) == "name" || key_at(1) == "uri" || key_at(1) == "requestId" ||
                   key_at(1) == "taskId" || key_at(1) == "progressToken";
        if (depth() == 4)
            return key_at(1) == "_meta" && key_at(2) == meta_client && key_at(3) == "name";
        return (key_at(1) == "_meta" && (key_at(2) == "progressToken" || key_at(2) == meta_version)) ||
               (key_at(1) == "clientInfo" && key_at(2) == "name");
    }

    bool scalar(std::string text, const std::string& plain) {
        if (levels_.size() <= base())
            return false; // a bare scalar, or one in a batch, is no message
        if (!interesting())
            return true;
        auto& m = out_.messages.back();
        const auto& last = key_at(depth() - 1);
        if (last == "id")
            m.id = std::move(text);
        else if (last == "method")
            m.method = plain;
        else if (last == "requestId")
            m.cancelled_id = std::move(text);
        else if (last == "progressToken")
            (depth() == 2 ? m.progress_of : m.progress_token) = std::move(text);
        else if (last == meta_version)
            m.protocol_version = plain;
        else if (last == "taskId")
            m.task = plain;
        else if (depth() >= 3)
            m.client_name = plain;
        else
            (last == "name" ? names_.name : names_.uri) = plain;
        return true;
    }

    void note_container() {
        // params.capabilities.elicitation.url = {} (initialize), or _meta's client capabilities (2026-07-28)
        if (levels_.size() > base() + 3 && !arrays_between() && levels_.back().key == "url" &&
            levels_[levels_.size() - 2].key == "elicitation")
            out_.messages.back().url_elicitation = true;
    }

    rpc_body& out_;
    params_names names_; ///< of the message that is read
    std::vector<level> levels_;
};

nlohmann::ordered_json error_member(int code, std::string_view message, const rpc_error_data& data) {
    nlohmann::ordered_json d;
    d["code"] = to_string(data.code);
    d["upstream"] = data.upstream;
    d["reason"] = data.reason;
    d["requiredScopes"] = data.required_scopes;
    if (!data.approval_url.empty())
        d["approvalUrl"] = data.approval_url;
    if (data.retry_after)
        d["retryAfter"] = data.retry_after->count();
    if (!data.recovery.empty())
        d["recovery"] = data.recovery;
    if (code == rpc_code_url_elicitation) {
        d["elicitations"] = nlohmann::ordered_json::array({{{"mode", "url"},
                                                            {"elicitationId", data.approval_url},
                                                            {"url", data.approval_url},
                                                            {"message", std::string(message)}}});
    }
    nlohmann::ordered_json e;
    e["code"] = code;
    e["message"] = message;
    e["data"] = std::move(d);
    return e;
}

/// JSON text of an id or token, digit by digit as it came; null for anything else.
std::string scalar_text(std::string_view text) {
    const auto parsed = read_json(text).value_or(json());
    return parsed.is_number() ? std::string(text) : parsed.is_string() ? json_text(parsed) : "null";
}

} // namespace

namespace {

bool walk_message(std::string_view text, rpc_body& out) {
    shallow_reader reader(out);
    return walk_json(text, reader);
}

} // namespace

rpc_body parse_rpc(std::string_view body) {
    rpc_body out;
    bool ok = walk_message(body, out);
    if (!ok) {
        if (const auto mended = readable_copy(body)) {
            out = {};
            ok = walk_message(*mended, out);
        }
    }
    out.valid = ok && (out.batch || out.messages.size() == 1);
    if (!out.valid)
        out.messages.clear();
    return out;
}

const std::string& operation_name(std::string_view method, const params_names& names) noexcept {
    static constexpr std::array<std::string_view, 13> unnamed = {
        "completion/complete",
        "elicitation/create",
        "initialize",
        "logging/setLevel",
        "ping",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "roots/list",
        "sampling/createMessage",
        "server/discover",
        "subscriptions/listen",
        "tools/list",
    };
    static const std::string none;
    if (method == "tools/call" || method == "prompts/get")
        return names.name;
    if (method == "resources/read" || method == "resources/subscribe" || method == "resources/unsubscribe")
        return names.uri;
    if (method.starts_with("notifications/") || method.starts_with("tasks/") || method.empty() ||
        std::find(unnamed.begin(), unnamed.end(), method) != unnamed.end())
        return none;
    return names.name.empty() ? names.uri : names.name;
}

bool reads_only(std::string_view method) noexcept {
    static constexpr std::array<std::string_view, 14> safe = {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "notifications/initialized",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "server/discover",
        "subscriptions/listen",
        "tasks/get",
        "tools/list",
    };
    return std::find(safe.begin(), safe.end(), method) != safe.end();
}

std::string make_rpc_error(std::string_view id, int code, std::string_view message,
                           const rpc_error_data& data) {
    return R"({"jsonrpc":"2.0","id":)" + scalar_text(id) + R"(,"error":)" +
           json_text(error_member(code, message, data)) + "}";
}

std::string make_http_error(int code, std::string_view message, const rpc_error_data& data) {
    nlohmann::ordered_json j;
    j["error"] = error_member(code, message, data);
    return json_text(j);
}

std::string make_progress(std::string_view progress_token, unsigned progress, std::string_view message) {
    return R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" +
           scalar_text(progress_token) + R"(,"progress":)" + std::to_string(progress) + R"(,"message":)" +
           json_text_of(message) + "}}";
}

} // namespace reauth
