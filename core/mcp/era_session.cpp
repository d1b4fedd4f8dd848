// Both directions, message by message.
#include "core/mcp/era_session.hpp"

#include "core/mcp/mcp_extensions.hpp"

#include <algorithm>
#include <array>

namespace reauth {
namespace {

constexpr auto modern_version = "2026-07-28", latest_legacy = "2025-11-25";
constexpr std::array<std::string_view, 4> legacy_versions{"2024-11-05", "2025-03-26", "2025-06-18",
                                                          "2025-11-25"};
constexpr auto meta_capabilities = "io.modelcontextprotocol/clientCapabilities",
               meta_server = "io.modelcontextprotocol/serverInfo",
               meta_level = "io.modelcontextprotocol/logLevel",
               meta_subscription = "io.modelcontextprotocol/subscriptionId";
constexpr auto our_probe = "mcp-reauth-discover", our_listen = "mcp-reauth-listen-";
constexpr int unsupported_version = -32022, internal_error = -32603;

era_json answer_to(const era_json& id, era_json result) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

/// The server speaks the version that we bridge to.
bool speaks_modern(const era_json& result) {
    const auto versions = result.is_object() ? result.find("supportedVersions") : result.end();
    return versions != result.end() && versions->is_array() &&
           std::find(versions->begin(), versions->end(), modern_version) != versions->end();
}

/// What the client is told of a server that has no `initialize`.
era_json initialize_result(const era_json& discovered, const era_json& initialize,
                           const std::string& upstream) {
    const auto wanted = string_of(object_of(initialize, "params"), "protocolVersion");
    const bool known =
        std::find(legacy_versions.begin(), legacy_versions.end(), wanted) != legacy_versions.end();
    auto server = object_of(object_of(discovered, "_meta"), meta_server);
    if (string_of(server, "name").empty())
        server = {{"name", upstream}, {"version", modern_version}};
    era_json out{{"protocolVersion", known ? wanted : latest_legacy},
                 {"capabilities", object_of(discovered, "capabilities")},
                 {"serverInfo", std::move(server)}};
    if (const auto instructions = string_of(discovered, "instructions"); !instructions.empty())
        out["instructions"] = instructions;
    return out;
}

/// Without what belongs to our stream of changes.
void drop_subscription(era_json& message) {
    if (!message.contains("params") || !message["params"].is_object())
        return;
    auto& params = message["params"];
    if (!params.contains("_meta") || !params["_meta"].is_object())
        return;
    params["_meta"].erase(meta_subscription);
    if (params["_meta"].empty())
        params.erase("_meta");
}

} // namespace

era_outcome era_session::from_client(const std::string& message) {
    era_outcome out;
    const auto parsed = read_message_json<era_json>(message).value_or(era_json());
    // 2026-07-28 has no batches
    if (state_ == state::modern && parsed.is_array() && !parsed.empty())
        for (const auto& one : parsed)
            from_client_one(one, era_text(one), out);
    else
        from_client_one(parsed, message, out);
    return out;
}

void era_session::from_client_one(const era_json& parsed, const std::string& message, era_outcome& out) {
    const auto method = string_of(parsed, "method");
    const bool asks = parsed.is_object() && parsed.contains("id") && !method.empty();
    if (asks && method == "initialize")
        discover(parsed, out);
    else if (state_ != state::modern || !parsed.is_object())
        out.to_server.push_back(message);
    else if (asks)
        request(parsed, out);
    else if (!method.empty())
        notification(parsed, out);
    else
        client_answer(parsed, out);
}

/// A new session of the client: what the server speaks is asked first.
void era_session::discover(const era_json& initialize, era_outcome& out) {
    state_ = state::probing;
    initialize_ = initialize;
    initialized_ = false;
    calls_.clear();
    rounds_.clear();
    asked_.clear();
    rounds_had_.clear();
    subscribed_.clear();
    listening_.clear();
    log_level_.clear();
    out.to_server.push_back(
        era_text(stamped({{"jsonrpc", "2.0"}, {"id", our_probe}, {"method", "server/discover"}})));
}

void era_session::discovered(const era_json& answer, era_outcome& out) {
    const auto result = object_of(answer, "result"), error = object_of(answer, "error");
    if (speaks_modern(result)) {
        state_ = state::modern;
        capabilities_ = object_of(result, "capabilities");
        out.to_client.push_back(
            era_text(answer_to(initialize_["id"], initialize_result(result, initialize_, upstream_))));
        return;
    }
    const auto code = error.is_object() && error.contains("code") && error["code"].is_number_integer()
                          ? error["code"].get<std::int64_t>()
                          : 0;
    const auto ours = object_of(error, "data");
    if (code == rpc_code_reauth && string_of(ours, "code") != to_string(fault::upstream_malformed)) {
        // nobody has signed in yet, say: that tells nothing about what it speaks
        state_ = state::fresh;
        out.to_client.push_back(era_text({{"jsonrpc", "2.0"}, {"id", initialize_["id"]}, {"error", error}}));
        return;
    }
    const auto supported = ours.find("supported");
    const bool newer = code == unsupported_version && supported != ours.end() && supported->is_array() &&
                       std::none_of(supported->begin(), supported->end(), [](const auto& v) {
                           return v.is_string() && v.template get<std::string>() < modern_version;
                       });
    if (newer) {
        state_ = state::fresh;
        give_up(initialize_["id"],
                "the server speaks only " + era_text(*supported) + ", which can't be bridged", out);
        return;
    }
    state_ = state::legacy;
    out.to_server.push_back(era_text(initialize_));
}

/// With all that a request of 2026-07-28 says of its client.
era_json era_session::stamped(era_json request) const {
    const auto client = object_of(initialize_, "params");
    auto& meta = request["params"]["_meta"];
    if (!meta.is_object())
        meta = era_json::object();
    meta[meta_version] = modern_version;
    meta[meta_client] = object_of(client, "clientInfo");
    meta[meta_capabilities] = with_our_extensions(object_of(client, "capabilities"));
    if (!log_level_.empty())
        meta[meta_level] = log_level_;
    return request;
}

void era_session::request(era_json message, era_outcome& out) {
    if (answered_here(message, out))
        return;
    const auto id = era_text(message["id"]);
    if (!message.contains("params") || !message["params"].is_object())
        message["params"] = era_json::object();
    calls_[id] = message;
    rounds_had_[id] = 0;
    out.to_server.push_back(era_text(stamped(std::move(message))));
}

/// What 2026-07-28 has no request for.
bool era_session::answered_here(const era_json& message, era_outcome& out) {
    const auto method = string_of(message, "method");
    const auto params = object_of(message, "params");
    if (method == "logging/setLevel")
        log_level_ = string_of(params, "level");
    else if (method == "resources/subscribe")
        subscribed_.insert(string_of(params, "uri"));
    else if (method == "resources/unsubscribe")
        subscribed_.erase(string_of(params, "uri"));
    else if (method != "ping")
        return false;
    out.to_client.push_back(era_text(answer_to(message["id"], era_json::object())));
    if (method.starts_with("resources/")) {
        if (!listening_.empty())
            out.to_server.push_back(era_text({{"jsonrpc", "2.0"},
                                              {"method", "notifications/cancelled"},
                                              {"params", {{"requestId", listening_}}}}));
        listening_.clear();
        if (auto opened = listen())
            out.to_server.push_back(std::move(*opened));
    }
    return true;
}

std::optional<std::string> era_session::listen() {
    if (state_ != state::modern || !initialized_ || !listening_.empty())
        return std::nullopt;
    era_json wanted = era_json::object();
    for (const auto& [capability, member] :
         {std::pair{"tools", "toolsListChanged"}, std::pair{"prompts", "promptsListChanged"},
          std::pair{"resources", "resourcesListChanged"}}) {
        const auto offered = object_of(capabilities_, capability);
        if (offered.contains("listChanged") && offered["listChanged"] == true)
            wanted[member] = true;
    }
    if (!subscribed_.empty())
        wanted["resourceSubscriptions"] = subscribed_;
    if (wanted.empty())
        return std::nullopt;
    listening_ = our_listen + std::to_string(++next_);
    return era_text(stamped({{"jsonrpc", "2.0"},
                             {"id", listening_},
                             {"method", "subscriptions/listen"},
                             {"params", {{"notifications", std::move(wanted)}}}}));
}

void era_session::notification(const era_json& message, era_outcome& out) {
    const auto method = string_of(message, "method");
    if (method == "notifications/initialized") {
        initialized_ = true;
        if (auto opened = listen())
            out.to_server.push_back(std::move(*opened));
        return;
    }
    if (method != "notifications/cancelled")
        return; // the server has no ear for it: capabilities are told with every request
    const auto params = object_of(message, "params");
    const auto id = params.contains("requestId") ? era_text(params["requestId"]) : std::string();
    calls_.erase(id);
    if (rounds_.erase(id) != 0) {
        std::erase_if(asked_, [&](const auto& entry) { return entry.second.first == id; });
        return; // nothing of it is at the server
    }
    out.to_server.push_back(era_text(message));
}

era_outcome era_session::from_server(const std::string& message) {
    era_outcome out;
    auto parsed = read_message_json<era_json>(message).value_or(era_json());
    if (!parsed.is_object() || (state_ != state::probing && state_ != state::modern)) {
        out.to_client.push_back(message);
        return out;
    }
    const auto method = string_of(parsed, "method");
    if (method == "notifications/subscriptions/acknowledged")
        return out;
    if (!method.empty()) {
        drop_subscription(parsed);
        out.to_client.push_back(era_text(parsed));
        return out;
    }
    const auto id = parsed.contains("id") && parsed["id"].is_string() ? parsed["id"].get<std::string>() : "";
    if (id == our_probe && state_ == state::probing)
        discovered(parsed, out);
    else if (!listening_.empty() && id == listening_) {
        listening_.clear();
        out.listen_again = true;
    } else if (!id.starts_with(our_listen))
        server_answer(std::move(parsed), out);
    return out;
}

void era_session::server_answer(era_json message, era_outcome& out) {
    const auto result = message.find("result");
    const auto kind = result != message.end() ? string_of(*result, "resultType") : std::string();
    const auto id = message.contains("id") ? era_text(message["id"]) : std::string();
    if (kind == "input_required") {
        ask_client(message, out);
        return;
    }
    calls_.erase(id);
    rounds_had_.erase(id);
    if (!kind.empty() && kind != "complete") {
        give_up(message["id"], "the server's answer is of a kind that this client has no word for: " + kind,
                out);
        return;
    }
    if (!kind.empty())
        result->erase("resultType");
    out.to_client.push_back(era_text(message));
}

void era_session::give_up(const era_json& id, const std::string& why, era_outcome& out) {
    out.to_client.push_back(
        era_text({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", internal_error}, {"message", why}}}}));
}

} // namespace reauth
