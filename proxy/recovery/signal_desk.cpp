// Verified, acted upon, answered.
#include "proxy/recovery/signal_desk.hpp"

#include "core/oauth/caller_token.hpp"
#include "proxy/log/log.hpp"

namespace reauth {
namespace {

/// An event of this `jti` is remembered for longer than one is taken.
constexpr auto event_remembered = oldest_security_event + std::chrono::hours(24);
constexpr std::chrono::seconds time_to_act{30};

event_expectation expected_from(const std::string& issuer, std::vector<std::string> audience,
                                time_point now) {
    event_expectation e;
    e.issuer = issuer;
    e.audience = std::move(audience);
    e.now = now;
    return e;
}

} // namespace

std::string signal_desk::refusal_of_event::error() const {
    if (word == "key" || word == "keys" || word == "signature" || word == "algorithm")
        return "invalid_key";
    return word == "issuer" ? "invalid_issuer" : word == "audience" ? "invalid_audience" : "invalid_request";
}

const identity_provider_config* signal_desk::provider_named(const std::string& name) const {
    const auto& all = lives_.table()->settings->identity_providers;
    const auto found = all.find(name);
    return found == all.end() ? nullptr : &found->second;
}

/// Its signature is looked at with the keys that are known, and once more with newer ones.
task<std::optional<signal_desk::refusal_of_event>> signal_desk::take(issuer_place from,
                                                                     event_expectation expected,
                                                                     std::string issuer, std::string token,
                                                                     checker check) {
    checked_event said;
    if (token.size() > longest_security_event) {
        said.why = event_fault::malformed;
    } else if (issuer_claimed_by(token) != expected.issuer) {
        said.why = event_fault::issuer; // nobody's keys are asked for
    } else {
        auto keys = co_await keys_.get(from, nullptr);
        if (!keys)
            co_return refusal_of_event{"keys", true};
        said = check(token, keys->jwks, expected);
        if (said.why == event_fault::key || said.why == event_fault::signature) {
            auto newer = co_await keys_.get(from, keys);
            if (newer && newer != keys)
                said = check(token, newer->jwks, expected);
        }
    }
    if (said.why)
        co_return refusal_of_event{std::string(to_string(*said.why)), false};
    co_return co_await act(std::move(said.event), std::move(issuer), expected.issuer);
}

/// However it was delivered.
task<std::optional<signal_desk::refusal_of_event>> signal_desk::take_event(identity_provider_config provider,
                                                                           std::string token) {
    const auto& s = *provider.signals;
    auto expected = expected_from(s.issuer, s.audience, context_.env.now());
    const issuer_place keys{s.issuer, s.jwks_uri, provider.tls.ca_file};
    co_return co_await take(keys, std::move(expected), provider.issuer, std::move(token),
                            check_security_event);
}

task<std::optional<signal_desk::refusal_of_event>> signal_desk::act(identity_event event, std::string issuer,
                                                                    std::string sender) {
    const auto id = event.id;
    // whoever dies over it leaves it to the next time that it is told
    auto claim = [&] { return context_.store.hear(sender, id, context_.env.now() + time_to_act); };
    auto first = co_await context_.vault.run(claim);
    if (!first)
        co_return refusal_of_event{"vault", true};
    if (*first == event_hearing::done)
        co_return std::nullopt; // the same once more
    if (*first == event_hearing::under_way)
        co_return refusal_of_event{"under way", true};
    result<void> done;
    if (event.change == identity_change::check || event.change == identity_change::stream)
        log_event(log_level::info, "security events", {{"issuer", sender}, {"what", event.what}});
    else if (event.change != identity_change::none)
        done = co_await identities_.heard(std::move(event), std::move(issuer));
    const auto until = context_.env.now() + event_remembered;
    auto remember = [&] { return context_.store.heard(sender, id, until); };
    if (done)
        done = co_await context_.vault.run(remember);
    if (done)
        co_return std::nullopt;
    auto forget = [&] { return context_.store.unhear(sender, id); };
    co_await context_.vault.run(forget);
    co_return refusal_of_event{"vault", true};
}

namespace {

void log_refusal(const std::string& provider, std::string_view what, const std::string& word) {
    log_event(log_level::warn, "refused",
              {{"identity_provider", provider}, {"what", std::string(what)}, {"why", word}});
}

} // namespace

task<signal_answer> signal_desk::logout_token(std::string provider, std::string token) {
    const auto* p = provider_named(provider);
    if (!p || !p->back_channel_logout)
        co_return signal_answer{404, "not_found", "No logout tokens are taken here."};
    auto expected = expected_from(p->issuer, {p->client.id}, context_.env.now());
    const issuer_place keys{p->issuer, {}, p->tls.ca_file};
    auto refused = co_await take(keys, std::move(expected), p->issuer, std::move(token), check_logout_token);
    if (!refused)
        co_return signal_answer{};
    log_refusal(provider, "logout token", refused->word);
    if (refused->transient)
        co_return signal_answer{503, "temporarily_unavailable", "Try again later."};
    co_return signal_answer{400, "invalid_request", "The logout token is refused: " + refused->word + "."};
}

task<signal_answer> signal_desk::security_event(std::string provider, std::string bearer, std::string token) {
    const auto* p = provider_named(provider);
    if (!p || !p->signals || p->signals->delivery != signal_delivery::push)
        co_return signal_answer{404, "not_found", "No security events are taken here."};
    const auto& s = *p->signals;
    if (!s.token.empty() && !s.token.equals(bearer)) {
        log_refusal(provider, "security event", "authentication");
        co_return signal_answer{401, "authentication_failed", "The transmitter's token is missing or wrong."};
    }
    auto refused = co_await take_event(*p, std::move(token));
    if (!refused)
        co_return signal_answer{202, {}, {}};
    log_refusal(provider, "security event", refused->word);
    if (refused->transient)
        co_return signal_answer{503, "temporarily_unavailable", "Try again later."};
    co_return signal_answer{400, refused->error(), "The security event is refused: " + refused->word + "."};
}

} // namespace reauth
