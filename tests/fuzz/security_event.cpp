// Fuzzes logout tokens and security events: claims that are signed well, whatever they say, and texts that
// are not.
#include "core/oauth/security_event.hpp"
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
    event_expectation expected;
    expected.issuer = "https://i";
    expected.audience = {"a"};
    expected.now = time_point{std::chrono::seconds(1'800'000'000)};
    if (!check_logout_token(text, jwks, expected).why || !check_security_event(text, jwks, expected).why)
        __builtin_trap(); // nobody else has the key
    const auto claims = nlohmann::json::parse(text, nullptr, false);
    if (!claims.is_object())
        return 0;
    for (const auto* typ : {"logout+jwt", "secevent+jwt"}) {
        const auto token = sign_jwt(key, "ES256", {{"typ", typ}}, claims);
        if (!token)
            return 0;
        for (const auto& said :
             {check_logout_token(*token, jwks, expected), check_security_event(*token, jwks, expected)}) {
            const auto& e = said.event;
            if (said.why)
                continue;
            if (e.id.empty() || e.about.size() > 16 ||
                (e.change >= identity_change::renewed && e.about.empty()))
                __builtin_trap();
        }
    }
    return 0;
}
