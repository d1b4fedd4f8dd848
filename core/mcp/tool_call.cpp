// One pass over the body's events, which writes it again.
#include "core/mcp/tool_call.hpp"

#include "core/json/json_members.hpp"
#include "core/json/json_reader.hpp"
#include "core/mcp/json_rpc.hpp"
#include "core/text/ascii.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace reauth {
namespace {

using nlohmann::json;

constexpr std::size_t max_depth = 256;
constexpr std::size_t max_batch = 1000;
constexpr std::array<std::string_view, 6> message_keys{"jsonrpc", "id",     "method",
                                                       "params",  "result", "error"};
constexpr std::array<std::string_view, 5> params_keys{"name", "uri", "taskId", "arguments", "_meta"};
constexpr std::array<std::string_view, 4> passing_meta{"progressToken", "traceparent", "tracestate",
                                                       "baggage"};

/// Exactly one of the names, or nothing like any of them.
template<std::size_t N>
bool unmistakable(const std::array<std::string_view, N>& names, std::string_view key) {
    if (std::find(names.begin(), names.end(), key) != names.end())
        return true;
    return std::all_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }) &&
           std::none_of(names.begin(), names.end(), [&](std::string_view n) { return iequals(n, key); });
}

class call_reader {
public:
    call_content out;

    bool null() { return !at_name() && scalar("null"); }
    bool boolean(bool v) { return no_name(v ? "true" : "false"); }
    bool number_integer(json::number_integer_t v) { return no_name(std::to_string(v)); }
    bool number_unsigned(json::number_unsigned_t v) { return no_name(std::to_string(v)); }
    bool number_float(json::number_float_t, const std::string& text) { return no_name(text); }
    bool string(std::string& v) {
        if (levels_.size() == base() + 1 && key_at(0) == "method")
            out.calls.back().method = v;
        if (at_params())
            return false;
        if (at_params_member())
            note_name(v);
        return scalar(json_text_of(v));
    }
    bool binary(json::binary_t&) { return false; }
    bool key(std::string& k) {
        auto& here = levels_.back();
        if (!here.seen.insert(k).second)
            return false;
        const auto depth = levels_.size() - base();
        const bool in_params = depth == 2 && key_at(0) == "params";
        if ((depth == 1 && !unmistakable(message_keys, k)) || (in_params && !unmistakable(params_keys, k)))
            return false;
        const bool passing = depth == 3 && key_at(0) == "params" && key_at(1) == "_meta" &&
                             std::find(passing_meta.begin(), passing_meta.end(), k) != passing_meta.end();
        if (!skipping())
            skip_next_ = (depth == 1 && k == "id") || passing;
        if (!skipping() && !skip_next_) {
            here.before = {out.canonical.size(), here.first};
            separate();
            out.canonical += json_text_of(k) + ":";
        }
        here.key = std::move(k);
        return true;
    }
    bool start_object(std::size_t) {
        if (levels_.size() == base()) {
            if (out.calls.size() == max_batch)
                return false;
            out.calls.emplace_back();
            names_ = {};
            task_.clear();
            begins_at_ = out.canonical.size() + (batch_ && !levels_.back().first ? 1 : 0);
        } else if (levels_.empty()) {
            return false;
        }
        return open(false);
    }
    bool end_object() {
        const bool empty = levels_.back().first;
        const bool closed = close('}');
        if (levels_.size() == base())
            end_message();
        else if (empty && !skipping() && may_be_left_out())
            take_back();
        return closed;
    }
    bool start_array(std::size_t) {
        if (levels_.empty())
            batch_ = true;
        else if (levels_.size() == 1 && batch_)
            return false;
        return open(true);
    }
    bool end_array() { return close(']'); }
    bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    struct level {
        std::string key;
        std::set<std::string> seen;
        bool array = false, first = true;
        struct {
            std::size_t size = 0;
            bool first = true;
        } before; ///< the canonical text as it was before the last key
    };

    std::size_t base() const { return batch_ ? 1 : 0; }
    const std::string& key_at(std::size_t i) const { return levels_[base() + i].key; }
    bool skipping() const { return skipped_from_ != nowhere; }
    bool at_params_member() const {
        return levels_.size() == base() + 2 && !levels_.back().array && key_at(0) == "params";
    }
    /// A client that adds a progress token or trace context adds what is around it too.
    bool may_be_left_out() const {
        return (at_params_member() && key_at(1) == "_meta") ||
               (levels_.size() == base() + 1 && key_at(0) == "params");
    }
    void take_back() {
        auto& here = levels_.back();
        out.canonical.resize(here.before.size);
        here.first = here.before.first;
    }

    /// Here stands what the call is: text, or readers could disagree.
    bool at_name() const {
        if (levels_.size() <= base() || levels_.back().array)
            return false;
        const auto depth = levels_.size() - base();
        return (depth == 1 && key_at(0) == "method") ||
               (depth == 2 && key_at(0) == "params" &&
                (key_at(1) == "name" || key_at(1) == "uri" || key_at(1) == "taskId"));
    }
    bool no_name(const std::string& text) { return !at_name() && !at_params() && scalar(text); }
    /// Parameters by position are another way to name things: MCP has named ones only.
    bool at_params() const { return levels_.size() == base() + 1 && key_at(0) == "params"; }

    void note_name(const std::string& value) {
        if (key_at(1) == "name")
            names_.name = value;
        else if (key_at(1) == "uri")
            names_.uri = value;
        else if (key_at(1) == "taskId")
            task_ = value;
    }
    /// The parts of a message are cut out of its text, so that every digit is as it came.
    void end_message() {
        auto& call = out.calls.back();
        call.tool = operation_name(call.method, names_);
        call.named = call.method.starts_with("tasks/") ? task_ : call.tool;
        const auto is_name = [&](const json_member& m) {
            return (m.key == R"("name")" && &operation_name(call.method, names_) == &names_.name) ||
                   (m.key == R"("uri")" && &operation_name(call.method, names_) == &names_.uri);
        };
        std::string other, other_params;
        const auto add = [](std::string& to, const json_member& m) {
            to.append(to.empty() ? "" : ",").append(m.key).append(1, ':').append(m.value);
        };
        for (const auto& m : json_members(std::string_view(out.canonical).substr(begins_at_))) {
            if (m.key == R"("params")" && m.value.starts_with('{')) {
                for (const auto& inner : json_members(m.value)) {
                    if (inner.key == R"("arguments")")
                        call.arguments = inner.value;
                    else if (!is_name(inner))
                        add(other_params, inner);
                }
            } else if (m.key != R"("method")" && !(m.key == R"("jsonrpc")" && m.value == R"("2.0")")) {
                add(other, m);
            }
        }
        if (!other_params.empty())
            other.append(other.empty() ? "" : ",").append(R"("params":{)").append(other_params).append("}");
        if (!other.empty())
            call.also = "{" + other + "}";
    }
    void separate() {
        if (!std::exchange(levels_.back().first, false))
            out.canonical += ',';
    }
    /// Before a value; false: it is left out.
    bool begins() {
        if (skipping())
            return false;
        if (std::exchange(skip_next_, false))
            return false;
        if (!levels_.empty() && levels_.back().array)
            separate();
        return true;
    }
    bool scalar(const std::string& text) {
        if (levels_.size() <= base())
            return false;
        if (begins())
            out.canonical += text;
        return true;
    }
    bool open(bool array) {
        if (levels_.size() >= max_depth || at_name() || (array && at_params()))
            return false;
        const bool left_out = !skipping() && skip_next_;
        if (begins())
            out.canonical += array ? '[' : '{';
        else if (left_out)
            skipped_from_ = levels_.size();
        levels_.push_back({});
        levels_.back().array = array;
        return true;
    }
    bool close(char mark) {
        levels_.pop_back();
        if (skipping()) {
            if (levels_.size() == skipped_from_)
                skipped_from_ = nowhere;
            return true;
        }
        out.canonical += mark;
        return true;
    }

    std::vector<level> levels_;
    params_names names_; ///< of the message that is read
    std::string task_;
    bool batch_ = false, skip_next_ = false;
    std::size_t skipped_from_ = nowhere, begins_at_ = 0;
};

} // namespace

result<call_content> read_call_content(std::string_view body) {
    call_reader reader;
    if (!walk_json(body, reader) || reader.out.calls.empty())
        return failure::permanent(
            fault::denied_by_policy,
            "the policy wants a person to approve calls before they are sent, and this message can "
            "be read in more than one way (or is no JSON-RPC)",
            "send each key once, spelled as MCP spells it, uncompressed");
    return std::move(reader.out);
}

} // namespace reauth
