// Classification of 401 and 403.
#include "core/oauth/challenge.hpp"

#include "core/text/ascii.hpp"

#include <charconv>
#include <cstdint>

namespace reauth {

namespace {

bool speaks_oauth(const auth_challenge& c) {
    return c.scheme == "bearer" || c.scheme == "dpop";
}

/// Whatever the status is: who names resource metadata (RFC 9728 §5.1) wants a token.
bool as_unauthorized(unsigned status, const parsed_challenge& c) {
    return status == 401 || !c.resource_metadata.empty();
}

challenge_kind classify(unsigned status, const parsed_challenge& c, bool token_sent) {
    if (status >= 400 && c.error == "insufficient_user_authentication")
        return challenge_kind::user_authentication;
    const bool said_otherwise = status == 403 || status == 400;
    if (said_otherwise && c.error == "insufficient_scope")
        return challenge_kind::insufficient_scope;
    if (said_otherwise && c.error == "invalid_token")
        return token_sent ? challenge_kind::invalid_token : challenge_kind::unauthorized;
    if (status == 400 || !as_unauthorized(status, c))
        return challenge_kind::not_a_challenge;
    if (!token_sent)
        return challenge_kind::unauthorized;
    if (c.error == "use_dpop_nonce" && !c.dpop_nonce.empty())
        return challenge_kind::dpop_nonce;
    if (c.error.empty())
        return challenge_kind::token_expired;
    if (c.error == "insufficient_scope")
        return challenge_kind::insufficient_scope;
    return challenge_kind::invalid_token;
}

std::optional<std::chrono::seconds> seconds_in(std::string_view text) {
    std::uint32_t seconds = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, seconds);
    if (text.empty() || read.ec != std::errc() || read.ptr != end)
        return std::nullopt;
    return std::chrono::seconds(seconds);
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = text.find(' ');
        if (end != 0)
            out.emplace_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return out;
}

} // namespace

std::string_view to_string(challenge_kind k) noexcept {
    switch (k) {
    case challenge_kind::not_a_challenge:
        break;
    case challenge_kind::unauthorized:
        return "unauthorized";
    case challenge_kind::token_expired:
        return "token_expired";
    case challenge_kind::invalid_token:
        return "invalid_token";
    case challenge_kind::insufficient_scope:
        return "insufficient_scope";
    case challenge_kind::user_authentication:
        return "user_authentication";
    case challenge_kind::dpop_nonce:
        return "dpop_nonce";
    }
    return "not_a_challenge";
}

bool may_challenge(unsigned status) noexcept {
    return status == 401 || status == 403 || status == 400 ||
           (status >= 300 && status < 400 && status != 304);
}

parsed_challenge read_challenge(unsigned status, const std::vector<std::string_view>& www_authenticate,
                                std::string_view dpop_nonce_field, bool token_sent) {
    parsed_challenge out;
    if (valid_dpop_nonce(dpop_nonce_field))
        out.dpop_nonce = dpop_nonce_field;
    if (!may_challenge(status))
        return out;
    const auto challenges = parse_www_authenticate(www_authenticate);
    for (const auto& challenge : challenges) {
        if (!speaks_oauth(challenge))
            continue;
        (challenge.scheme == "bearer" ? out.bearer : out.dpop) = true;
        const auto first = [&](std::string& into, std::string_view name) {
            if (const auto value = challenge.param(name); value && into.empty())
                into = *value;
        };
        first(out.error, "error");
        first(out.error_description, "error_description");
        first(out.resource_metadata, "resource_metadata");
        first(out.acr_values, "acr_values");
        if (const auto age = challenge.param("max_age"); age && !out.max_age)
            out.max_age = seconds_in(*age);
        if (const auto scope = challenge.param("scope"); scope && !out.scope)
            if (auto set = scope_set::parse(*scope); !set.empty())
                out.scope = std::move(set);
        if (const auto algs = challenge.param("algs"); algs && challenge.scheme == "dpop")
            out.dpop_algs = words(*algs);
    }
    // a gateway's own scheme says where the metadata is, where no scheme of ours does
    for (const auto& challenge : challenges)
        if (const auto url = challenge.param("resource_metadata"); url && out.resource_metadata.empty())
            out.resource_metadata = *url;
    out.kind = classify(status, out, token_sent);
    return out;
}

parsed_challenge read_challenge(unsigned status, const std::vector<header_field>& headers, bool token_sent) {
    std::vector<std::string_view> lines;
    std::string_view nonce;
    for (const auto& field : headers) {
        if (iequals(field.name, "WWW-Authenticate"))
            lines.push_back(field.value);
        else if (iequals(field.name, "DPoP-Nonce"))
            nonce = field.value;
    }
    return read_challenge(status, lines, nonce, token_sent);
}

bool valid_dpop_nonce(std::string_view nonce) noexcept {
    if (nonce.empty() || nonce.size() > 1024)
        return false;
    for (const char c : nonce)
        if (c < 0x21 || c == 0x22 || c == 0x5c || c > 0x7e)
            return false;
    return true;
}

} // namespace reauth
