// Fuzzes JWTs, key sets and keys: nothing verifies without a key.
#include "core/crypto/jose.hpp"
#include "core/oauth/id_token.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::vector<std::string> algorithms{"RS256", "PS256", "ES256", "EdDSA"};
    const char* sample =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    if (verify_jwt(text, "{\"keys\":[]}", algorithms))
        __builtin_trap();
    verify_jwt(sample, text, algorithms);
    peek_id_token(secret{std::string(text)});
    public_jwk(secret{std::string(text)});
    return 0;
}
