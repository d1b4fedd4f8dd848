// Fuzzes callers' tokens: claims that are signed well, whatever they say, and texts that are not.
#include "core/oauth/caller_token.hpp"
#include "conf/callers.hpp"
#include "core/crypto/jose.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace reauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const secret key = generate_ec_jwk().value();
    static const std::string jwks =
        nlohmann::json{{"keys", nlohmann::json::array({public_jwk(key).value()})}}.dump();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    caller_expectation expected;
    expected.issuer = "https://i";
    expected.audience = {"a"};
    expected.algorithms = {"ES256"};
    expected.principal = "a.b";
    expected.now = time_point{std::chrono::seconds(1'800'000'000)};
    if (!check_caller_token(text, "{\"keys\":[]}", expected).why)
        __builtin_trap();
    issuer_claimed_by(text);
    const auto claims = nlohmann::json::parse(text, nullptr, false);
    if (!claims.is_object())
        return 0;
    const auto token = sign_jwt(key, "ES256", {{"typ", "at+jwt"}}, claims);
    if (!token)
        return 0;
    const auto checked = check_caller_token(*token, jwks, expected);
    if (checked.why)
        return 0;
    const auto name = principal_name("i", checked.claims.subject);
    for (const char c : name)
        if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '?' || c == '#')
            __builtin_trap();
    return 0;
}
