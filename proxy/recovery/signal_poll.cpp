// Security events that are asked for (RFC 8936): each poll says what became of those of the last one.
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/uri.hpp"
#include "proxy/log/log.hpp"
#include "proxy/recovery/signal_desk.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {
namespace {

constexpr std::chrono::seconds between_polls{2}, longest_pause{60};
constexpr unsigned most_events = 10; ///< a whole answer is at most 256 KiB
constexpr unsigned most_rounds = 100;

http_request poll_request(const signals_config& s, const nlohmann::json& body) {
    http_request ask;
    ask.method = "POST";
    ask.url = s.endpoint;
    ask.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    if (!s.token.empty())
        ask.authorization = secret("Bearer " + std::string(s.token.reveal()));
    ask.body = secret(json_text(body));
    return ask;
}

fetch_options poll_options(const identity_provider_config& p) {
    fetch_options o;
    o.timeout = std::chrono::seconds(30);
    o.ca_file = p.tls.ca_file;
    for (const auto& named : {p.signals->endpoint, p.issuer})
        if (auto url = parse_http_url(named)) {
            o.trusted_hosts.push_back(url->host);
            o.trusted_hosts.push_back(url->authority());
        }
    return o;
}

} // namespace

void signal_desk::poll() {
    if (!stopped_ && !std::exchange(polling_, true))
        asio::co_spawn(context_.ex, poll_on(), asio::detached);
}

void signal_desk::stop() {
    stopped_ = true;
    timer_.cancel();
}

/// All transmitters in turn, with a pause that grows while none answers.
task<void> signal_desk::poll_on() {
    auto pause = between_polls;
    while (!stopped_) {
        bool any = false, well = false;
        const auto table = lives_.table();
        for (const auto& [name, provider] : table->settings->identity_providers) {
            if (stopped_ || !provider.signals || provider.signals->delivery != signal_delivery::poll)
                continue;
            any = true;
            const bool answered = co_await poll_once(provider);
            well = well || answered;
        }
        if (!any || stopped_)
            break;
        pause = well ? between_polls : std::min(pause * 2, longest_pause);
        error_code ec;
        timer_.expires_after(pause);
        co_await timer_.async_wait(asio::redirect_error(use_task, ec));
    }
    polling_ = false;
}

/// false: there was no answer that can be read.
task<bool> signal_desk::poll_once(identity_provider_config provider) {
    const auto& s = *provider.signals;
    bool more = true;
    for (unsigned rounds = 0; more && !stopped_ && rounds < most_rounds; ++rounds) {
        const auto owed = owed_[provider.name];
        nlohmann::json body{{"maxEvents", most_events}, {"returnImmediately", true}};
        if (!owed.taken.empty())
            body["ack"] = owed.taken;
        for (const auto& [id, err] : owed.refused)
            body["setErrs"][id] = {{"err", err}, {"description", "refused: " + err}};
        auto request = poll_request(s, body);
        auto options = poll_options(provider);
        auto answer = co_await context_.network.fetch(std::move(request), std::move(options));
        const auto said = answer && answer->status == 200 ? parse_json_object(answer->body) : std::nullopt;
        if (!said) {
            const auto why = answer ? "status " + std::to_string(answer->status) : answer.error().message;
            if (std::exchange(trouble_[provider.name], why) != why)
                log_event(log_level::warn, "security events",
                          {{"identity_provider", provider.name}, {"message", "can't be polled: " + why}});
            co_return false;
        }
        trouble_.erase(provider.name);
        owed_[provider.name] = {};
        const auto sets = said->value("sets", nlohmann::json::object());
        more = json_bool(*said, "moreAvailable") && sets.is_object() && !sets.empty();
        if (!sets.is_object())
            co_return true;
        for (const auto& [id, set] : sets.items()) {
            if (!set.is_string() || id.size() > 255)
                continue;
            auto refused = co_await take_event(provider, set.get<std::string>());
            auto& tell = owed_[provider.name];
            if (!refused)
                tell.taken.push_back(id);
            else if (!refused->transient)
                tell.refused.emplace_back(id, refused->error()); // else it is sent again
        }
    }
    co_return true;
}

} // namespace reauth
