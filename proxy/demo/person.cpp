// The person of the demo: sees an approval, approves it, and goes through the provider's pages as a browser
// would.
#include "proxy/demo/person.hpp"

#include "core/json/json_reader.hpp"
#include "proxy/demo/tools.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

namespace reauth {

using nlohmann::json;

namespace {

constexpr auto glance = std::chrono::milliseconds(100);  ///< between looks at the approvals
constexpr auto thought = std::chrono::milliseconds(900); ///< before a decision

/// `reference` as seen from the page at `base`.
std::string resolved(const std::string& base, const std::string& reference) {
    const auto from = boost::urls::parse_uri(base);
    const auto to = boost::urls::parse_uri_reference(reference);
    boost::urls::url target;
    if (!from || !to || !boost::urls::resolve(*from, *to, target))
        return reference;
    return std::string(target.buffer());
}

/// What stands between `before` and the next quote; empty if it does not occur.
std::string quoted_after(const std::string& text, const std::string& before) {
    const auto at = text.find(before);
    if (at == std::string::npos)
        return {};
    const auto start = at + before.size();
    return text.substr(start, text.find('"', start) - start);
}

std::string joined(const json& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : " ") + word.get<std::string>();
    return text.empty() ? "(none)" : text;
}

} // namespace

result<http_response> demo_browse(std::string location) {
    std::string method = "GET", body;
    for (int pages = 0; pages < 12; ++pages) {
        std::vector<header_field> headers{{"Accept", "text/html"}};
        if (method == "POST")
            headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
        auto page = demo_http(method, location, headers, body, std::chrono::seconds(30));
        if (!page)
            return page;
        method = "GET";
        body.clear();
        if (page->status / 100 == 3 && page->header("Location")) {
            location = resolved(location, std::string(*page->header("Location")));
            continue;
        }
        const std::string key = quoted_after(page->body, "name=\"request\" value=\"");
        const std::string action = quoted_after(page->body, "<form method=\"post\" action=\"");
        if (key.empty() || action.empty())
            return page;
        location = resolved(location, action);
        body = demo_form({{"request", key}, {"decision", "allow"}});
        method = "POST";
    }
    return failure::permanent(fault::reauth_failed, "the sign-in went round in circles");
}

demo_person::demo_person(std::string approval_url, std::string operator_token, demo_narrator& narrator,
                         bool approves)
    : url_(std::move(approval_url)), token_(std::move(operator_token)), narrator_(narrator),
      approves_(approves), thread_([this] { watch(); }) {}

demo_person::~demo_person() {
    stop();
}

void demo_person::stop() {
    stopped_ = true;
    if (thread_.joinable())
        thread_.join();
}

void demo_person::watch() {
    const std::vector<header_field> operator_header{{"Authorization", "Bearer " + token_}};
    while (!stopped_) {
        std::this_thread::sleep_for(glance);
        const auto answer = demo_http("GET", url_ + "/api/approvals", operator_header);
        if (!answer || answer->status != 200)
            continue;
        const auto list = read_json(answer->body, api_answer).value_or(json());
        if (!list.is_object())
            continue;
        for (const auto& approval : list.value("approvals", json::array()))
            if (approval.value("status", "") == "pending" && seen_.insert(approval.value("id", "")).second)
                decide(approval);
    }
}

void demo_person::decide(const json& approval) {
    const json scopes = approval.value("scopes", json::object());
    const std::string kind = approval.value("kind", "");
    const std::string wish =
        kind == "step_up"     ? "more scope (" + joined(scopes.value("added", json::array())) + ")"
        : kind == "idp_login" ? "your login at the organisation's identity provider"
                              : "your login (" + joined(scopes.value("requested", json::array())) + ")";
    narrator_.say(demo_speaker::proxy, "keeps the client's request waiting: \"" +
                                           approval.value("upstream", "") + "\" needs " + wish);
    if (!approves_) {
        narrator_.say(demo_speaker::person, "open " + narrator_.strong(approval.value("link", url_)));
        return;
    }
    std::this_thread::sleep_for(thought);
    narrator_.say(demo_speaker::person, "looks at the approval page " + url_ + " and presses Approve");
    const auto answer = demo_http("POST", url_ + "/api/approvals/" + approval.value("id", "") + "/approve",
                                  {{"Authorization", "Bearer " + token_}});
    const auto outcome = answer ? read_json(answer->body).value_or(json()) : json();
    const std::string status = outcome.is_object() ? outcome.value("status", "") : "";
    if (status == "done") {
        ++approved_;
        narrator_.say(demo_speaker::person, "is done: no login page was needed");
        return;
    }
    const std::string location = status == "redirect" ? outcome.value("location", "") : "";
    const auto end = location.empty()
                         ? result<http_response>(failure::permanent(fault::reauth_failed, "approving failed"))
                         : demo_browse(location);
    if (end && end->status == 200) {
        ++approved_;
        narrator_.say(demo_speaker::person,
                      "signs in at " + location.substr(0, location.find('?')) + " and is sent back: done");
        return;
    }
    ++failed_;
    narrator_.say(
        demo_speaker::person,
        narrator_.bad("cannot finish: " +
                      (end ? "the last page answered " + std::to_string(end->status) : end.error().message)));
}

} // namespace reauth
