// The request, its DPoP nonce and its retries; the answer read strictly (RFC 6749 section 5).
#include "policy/flows/token_flow.hpp"

#include "core/crypto/jose.hpp"
#include "core/oauth/dpop.hpp"
#include "policy/flows/fetch_with_retry.hpp"

#include <memory>

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

result<secret> dpop_key_for(bool wanted, const secret& kept) {
    if (!kept.empty())
        return kept;
    if (!wanted)
        return secret();
    return generate_ec_jwk();
}

flow<result<token_response>> ask_token_endpoint(const flow_environment& env, token_request_spec spec) {
    struct state {
        token_request_spec spec;
        std::string nonce;
        sent_secrets sent;
    };
    auto s = std::make_shared<state>(state{std::move(spec), {}, {}});
    retried_fetch<token_response> how;
    how.retry = s->spec.retry;
    how.purpose = s->spec.purpose;
    how.build = [s, &env]() -> result<http_request> {
        auto request = s->spec.build();
        if (!request)
            return request.error();
        if (!s->spec.dpop_key.empty()) {
            auto proved = add_dpop_proof(*request, s->spec.dpop_key, s->nonce, env.now(), env.random);
            if (!proved)
                return proved.error();
        }
        s->sent = secrets_of(*request);
        return request;
    };
    how.read = [s](const result<http_response>& answer) -> tried<token_response> {
        using then = tried<token_response>::then;
        const bool nonce_asked =
            answer && !s->spec.dpop_key.empty() && s->nonce.empty() && wants_dpop_nonce(*answer);
        if (nonce_asked)
            s->nonce = std::string(answer->header("DPoP-Nonce").value_or(""));
        auto outcome = read_answer(answer, s->sent);
        if (nonce_asked && !s->nonce.empty())
            return {std::move(outcome), then::again};
        return {std::move(outcome), may_repeat(answer) ? then::later : then::keep};
    };
    return fetch_with_retry(env, std::move(how));
}

} // namespace reauth
