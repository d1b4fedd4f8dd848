// PKCE S256.
#include "core/crypto/pkce.hpp"

#include "core/crypto/digest.hpp"
#include "core/text/encoding.hpp"

namespace reauth {

pkce_pair make_pkce(const random_source& random) {
    pkce_pair out;
    out.verifier = secret{random_token(random, 32)};
    out.challenge = pkce_challenge(out.verifier);
    return out;
}

std::string pkce_challenge(const secret& verifier) {
    return base64url_encode(sha256(verifier.reveal()));
}

} // namespace reauth
