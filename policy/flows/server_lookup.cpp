// One candidate after the other, until an answer says that there is no need to go on.
#include "policy/flows/server_lookup.hpp"

#include "core/http/http_date.hpp"
#include "core/json/json_fields.hpp"

namespace reauth {

http_request get_json(std::string url) {
    http_request request;
    request.url = std::move(url);
    request.headers.push_back({"Accept", "application/json"});
    return request;
}

metadata_answer judge_metadata_answer(const std::string& url, const result<http_response>& answer,
                                      std::vector<discovery_step>& steps) {
    if (!answer) {
        steps.push_back({url, false, answer.error().message});
        return answer.error().code == fault::egress_refused ? metadata_answer::refused
                                                            : metadata_answer::later;
    }
    steps.push_back({url, false, "status " + std::to_string(answer->status)});
    if (answer->status == 200)
        return metadata_answer::document;
    const bool absent = answer->status == 404 || answer->status == 405 || answer->status == 410;
    return absent ? metadata_answer::absent : metadata_answer::later;
}

failure metadata_unavailable(const std::string& url, const result<http_response>& answer) {
    const bool named =
        !answer && !answer.error().fix.empty(); // it helps more than waiting: a CA, a proxy, a key
    auto why = failure::of(
        fault::authorization_server_unavailable,
        "metadata at " + url + " could not be read: " +
            (answer ? "it answered with status " + std::to_string(answer->status) : answer.error().message),
        !named || answer.error().transient, named ? answer.error().fix : "try again later");
    if (answer)
        why.retry_after = retry_after(*answer);
    return why;
}

namespace {

failure unreadable_document(const std::string& url) {
    return failure::passing(fault::discovery_failed,
                            "what is at " + url + " is no authorization server metadata",
                            "its operator must repair it (RFC 8414)");
}

} // namespace

failure no_server_metadata(const std::string& issuer) {
    return failure::permanent(
        fault::discovery_failed,
        "the authorization server " + issuer + " publishes no metadata at its well-known URLs",
        "check that the issuer is spelled as the server spells it, path included; a server "
        "without metadata is named with the line: authorization_server: {issuer: \"" +
            issuer + "\", authorization_endpoint: …, token_endpoint: …}");
}

flow<result<std::optional<authorization_server>>>
lookup_server(std::vector<std::string> spellings, plain_http http, std::vector<discovery_step>& steps) {
    const auto urls = server_metadata_urls(spellings.front(), http);
    if (!urls)
        co_return urls.error();
    // at the origin of a server that nobody named, a catch-all page means nothing
    const bool named = spellings.size() == 1;
    std::optional<failure> contradiction, later;
    for (const auto& url : *urls) {
        fetch ask{get_json(url), "authorization server metadata"};
        auto answer = co_await std::move(ask);
        const auto seen = judge_metadata_answer(url, answer, steps);
        if (seen == metadata_answer::refused && !later)
            later = answer.error();
        if (seen == metadata_answer::later && !later)
            later = metadata_unavailable(url, answer);
        if (seen != metadata_answer::document)
            continue;
        const auto json = parse_json_object(answer->body);
        if (!json || !json->contains("issuer")) {
            steps.back().outcome = "200, but not an authorization server metadata document";
            if (named && !later)
                later = unreadable_document(url);
            continue;
        }
        for (const auto& issuer : spellings) {
            auto server = read_authorization_server(answer->body, issuer, http);
            if (server) {
                steps.back().found = true;
                steps.back().outcome = "authorization server metadata of " + issuer;
                co_return std::optional<authorization_server>(std::move(*server));
            }
            if (!contradiction)
                contradiction = server.error();
        }
        steps.back().outcome = contradiction->message;
    }
    if (contradiction)
        co_return *contradiction;
    if (later)
        co_return *later;
    co_return std::optional<authorization_server>();
}

} // namespace reauth
