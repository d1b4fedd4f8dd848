// Multi-round-trip requests (MCP 2026-07-28): the questions in a result, asked of a client that knows
// requests.
#include "core/mcp/era_session.hpp"

namespace reauth {
namespace {

constexpr auto our_question = "mcp-reauth-input-";
constexpr unsigned most_rounds = 10;
constexpr std::size_t most_questions = 8;

} // namespace

bool era_session::may_ask(const std::string& method, const era_json& params) const {
    const auto declared = object_of(object_of(initialize_, "params"), "capabilities");
    if (method == "sampling/createMessage")
        return declared.contains("sampling");
    if (method == "roots/list")
        return declared.contains("roots");
    if (method != "elicitation/create" || !declared.contains("elicitation"))
        return false;
    return string_of(params, "mode") != "url" || object_of(declared, "elicitation").contains("url");
}

/// A multi-round-trip request: its questions become the requests that a server of the client's era would
/// make.
void era_session::ask_client(const era_json& answer, era_outcome& out) {
    const auto id = era_text(answer["id"]);
    const auto call = calls_.find(id);
    if (call == calls_.end())
        return; // the client does not want it any more
    round r;
    r.request = call->second;
    r.answers = era_json::object();
    const auto number = ++rounds_had_[id];
    const auto& result = answer["result"];
    if (result.contains("requestState") && result["requestState"].is_string())
        r.state = result["requestState"].get<std::string>();
    const auto questions = object_of(result, "inputRequests");
    std::string refusal;
    if (number > most_rounds)
        refusal = "the server has asked for more input ten times over";
    if (questions.size() > most_questions)
        refusal = "the server asks for more than eight things at once";
    for (const auto& [key, question] : questions.items())
        if (!may_ask(string_of(question, "method"), object_of(question, "params")))
            refusal = "the server asks for " + string_of(question, "method") +
                      ", which this client has not offered";
    if (!refusal.empty()) {
        calls_.erase(call);
        rounds_had_.erase(id);
        give_up(answer["id"], refusal, out);
        return;
    }
    for (const auto& [key, question] : questions.items()) {
        const auto asked = our_question + std::to_string(++next_);
        asked_[asked] = {id, key};
        r.missing.insert(key);
        era_json to_client{{"jsonrpc", "2.0"}, {"id", asked}, {"method", question["method"]}};
        if (question.contains("params"))
            to_client["params"] = question["params"];
        out.to_client.push_back(era_text(to_client));
    }
    if (r.missing.empty())
        ask_again(std::move(r), out);
    else
        rounds_[id] = std::move(r);
}

void era_session::client_answer(const era_json& message, era_outcome& out) {
    const auto id =
        message.contains("id") && message["id"].is_string() ? message["id"].get<std::string>() : "";
    const auto asked = asked_.find(id);
    if (asked == asked_.end())
        return;
    const auto [call, key] = asked->second;
    asked_.erase(asked);
    const auto found = rounds_.find(call);
    if (found == rounds_.end())
        return;
    auto& r = found->second;
    if (!message.contains("result")) {
        const auto why = string_of(object_of(message, "error"), "message");
        const auto request = r.request["id"];
        rounds_.erase(found);
        calls_.erase(call);
        rounds_had_.erase(call);
        std::erase_if(asked_, [&](const auto& entry) { return entry.second.first == call; });
        give_up(request, "the client did not answer what the server asked: " + why, out);
        return;
    }
    r.answers[key] = message["result"];
    r.missing.erase(key);
    if (!r.missing.empty())
        return;
    auto whole = std::move(r);
    rounds_.erase(found);
    ask_again(std::move(whole), out);
}

/// The client's request once more, with the answers and the server's own state.
void era_session::ask_again(round r, era_outcome& out) {
    auto again = r.request;
    if (!r.answers.empty())
        again["params"]["inputResponses"] = std::move(r.answers);
    if (r.state)
        again["params"]["requestState"] = *r.state;
    out.to_server.push_back(era_text(stamped(std::move(again))));
}

} // namespace reauth
