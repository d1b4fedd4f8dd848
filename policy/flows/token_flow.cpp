// The request, its DPoP nonce and its retries; the answer read strictly (RFC 6749 section 5).
#include "policy/flows/token_flow.hpp"

#include "core/crypto/jose.hpp"
#include "core/http/http_date.hpp"
#include "core/oauth/dpop.hpp"

#include <algorithm>

namespace reauth {
namespace {

/// A 2xx that cannot be read may have been acted on (a rotated refresh token), so only clear refusals are
/// repeated.
bool may_repeat(const result<http_response>& answer) {
    if (!answer)
        return answer.error().transient;
    return may_work_later(answer->status);
}

result<token_response> read_answer(const result<http_response>& answer, const sent_secrets& sent) {
    if (!answer)
        return answer.error();
    return read_token_response(*answer, sent);
}

} // namespace

std::optional<std::chrono::milliseconds> next_pause(const retry_schedule& retry, std::size_t tries_done,
                                                    const http_response* answer,
                                                    std::optional<time_point> now) {
    if (tries_done == 0 || tries_done > retry.pauses.size())
        return std::nullopt;
    const auto scheduled = retry.pauses[tries_done - 1];
    const auto asked = answer ? retry_after(*answer, now) : std::nullopt;
    if (!asked)
        return scheduled;
    if (*asked > retry.retry_after_cap)
        return std::nullopt;
    return std::max<std::chrono::milliseconds>(*asked, scheduled);
}

failure given_up(failure why, const result<http_response>& answer, time_point now) {
    if (answer)
        why.retry_after = retry_after(*answer, now);
    return why;
}

result<secret> dpop_key_for(bool wanted, const secret& kept) {
    if (!kept.empty())
        return kept;
    if (!wanted)
        return secret();
    return generate_ec_jwk();
}

flow<result<token_response>> ask_token_endpoint(const flow_environment& env, token_request_spec question) {
    std::string nonce;
    std::size_t tries = 0;
    while (true) {
        auto request = question.build();
        if (!request)
            co_return request.error();
        if (!question.dpop_key.empty()) {
            auto proved = add_dpop_proof(*request, question.dpop_key, nonce, env.now(), env.random);
            if (!proved)
                co_return proved.error();
        }
        const auto sent = secrets_of(*request);
        fetch ask{std::move(*request), question.purpose};
        auto answer = co_await std::move(ask);
        const bool nonce_asked =
            answer && !question.dpop_key.empty() && nonce.empty() && wants_dpop_nonce(*answer);
        if (nonce_asked) {
            nonce = std::string(answer->header("DPoP-Nonce").value_or(""));
            if (!nonce.empty())
                continue;
        }
        auto outcome = read_answer(answer, sent);
        if (outcome || !may_repeat(answer))
            co_return outcome;
        ++tries;
        const auto wait = next_pause(question.retry, tries, answer ? &*answer : nullptr, env.now());
        if (!wait)
            co_return given_up(outcome.error(), answer, env.now());
        const pause rest{*wait};
        co_await rest;
    }
}

} // namespace reauth
