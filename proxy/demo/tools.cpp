// Small things the demo's servers share: opaque tokens, form fields, a gate that holds answers back.
#include "proxy/demo/tools.hpp"

#include "core/crypto/random.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/encoding.hpp"

#include <boost/asio/post.hpp>

namespace reauth {

std::string demo_random(std::size_t bytes) {
    return random_token(system_random(), bytes);
}

std::map<std::string, std::string> demo_fields(std::string_view text) {
    std::map<std::string, std::string> fields;
    for (auto& [name, value] : parse_form(text))
        fields.emplace(std::move(name), std::move(value));
    return fields;
}

std::string demo_field(const std::map<std::string, std::string>& fields, const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string{} : found->second;
}

std::string demo_form(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string text;
    for (const auto& [name, value] : fields) {
        if (!text.empty())
            text += '&';
        text += form_encode(name);
        text += '=';
        text += form_encode(value);
    }
    return text;
}

std::string demo_with_query(const std::string& url,
                            const std::vector<std::pair<std::string, std::string>>& fields) {
    return url + (url.find('?') == std::string::npos ? '?' : '&') + demo_form(fields);
}

std::string demo_html(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
        case '&':
            safe += "&amp;";
            break;
        case '<':
            safe += "&lt;";
            break;
        case '>':
            safe += "&gt;";
            break;
        case '"':
            safe += "&quot;";
            break;
        case '\'':
            safe += "&#39;";
            break;
        default:
            safe += c;
        }
    }
    return safe;
}

std::pair<std::string, std::string> demo_basic(std::string_view authorization) {
    constexpr std::string_view scheme = "Basic ";
    if (authorization.substr(0, scheme.size()) != scheme)
        return {};
    const std::string text = base64_decode(authorization.substr(scheme.size())).value_or("");
    const auto colon = text.find(':');
    if (colon == std::string::npos)
        return {};
    return {percent_decode(text.substr(0, colon), true).value_or(""),
            percent_decode(text.substr(colon + 1), true).value_or("")};
}

service_response demo_json(unsigned status, const nlohmann::json& body) {
    return {status, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, json_text(body)};
}

void demo_gate::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

void demo_gate::open() {
    const std::lock_guard lock(mutex_);
    closed_ = false;
    // timers belong to the executor's thread
    asio::post(ex_, [sleepers = std::move(sleepers_)] {
        for (const auto& sleeper : sleepers)
            sleeper->cancel();
    });
    sleepers_.clear();
}

std::size_t demo_gate::waiting() const {
    const std::lock_guard lock(mutex_);
    return sleepers_.size();
}

task<void> demo_gate::pass() {
    const auto sleeper = std::make_shared<loop_timer>(ex_, std::chrono::steady_clock::time_point::max());
    {
        const std::lock_guard lock(mutex_);
        if (!closed_)
            co_return;
        sleepers_.push_back(sleeper);
    }
    error_code cancelled;
    co_await sleeper->async_wait(asio::redirect_error(use_task, cancelled));
}

} // namespace reauth
