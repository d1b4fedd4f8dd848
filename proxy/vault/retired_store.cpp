// Tokens that are kept for the sign-out alone.
#include "core/crypto/digest.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/oauth/credential_json.hpp"
#include "core/text/encoding.hpp"
#include "proxy/vault/stored_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace reauth {
namespace {

/// What nobody signs out of ends by itself at its provider, sooner or later.
constexpr std::chrono::hours kept_for{24 * 365}, access_kept_for{24};

std::vector<std::string_view> place_of(bool session, const std::string& principal, const std::string& name) {
    return {session ? "idp" : "upstream", principal, name};
}

secret retired_to_json(const retired_credential& what) {
    nlohmann::json out{{"value", std::string(credential_to_json(what.value).reveal())}};
    if (what.client)
        out["client"] = std::string(registered_client_to_json(*what.client).reveal());
    return secret(json_text(out));
}

result<retired_credential> retired_from_json(const secret& text) {
    const auto document = parse_json_object(text.reveal());
    auto value = credential_from_json(secret(document ? json_string(*document, "value") : std::string()));
    if (!value)
        return value.error();
    retired_credential out{std::move(*value), {}};
    if (const auto client = json_string(*document, "client"); !client.empty()) {
        auto known = registered_client_from_json(secret(client));
        if (!known)
            return known.error();
        out.client = std::move(*known);
    }
    return out;
}

} // namespace

namespace {

/// The records of one place.
result<std::vector<vault_record>> records_of(vault& records, bool session, const std::string& principal,
                                             const std::string& name) {
    const auto prefix = joined_key(place_of(session, principal, name)) + " ";
    return records.list(record_kind::retired, prefix);
}

} // namespace

result<std::vector<retired_credential>> credential_store::retired(bool session, const std::string& principal,
                                                                  const std::string& name) {
    auto records = records_of(vault_, session, principal, name);
    if (!records)
        return records.error();
    std::vector<retired_credential> out;
    for (const auto& record : *records) {
        auto one = retired_from_json(record.value);
        if (!one)
            return one.error();
        out.push_back(std::move(*one));
    }
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return a.value.obtained_at > b.value.obtained_at; });
    return out;
}

result<void> credential_store::retire(bool session, const std::string& principal, const std::string& name,
                                      const retired_credential& what, time_point now) {
    auto kept = what;
    kept.value.dpop_key = secret(); // a revocation needs none
    const bool lasting = !kept.value.refresh_token.empty();
    const auto until = lasting ? now + kept_for : kept.value.expires_at.value_or(now + access_kept_for);
    if (until <= now)
        return {};
    const auto key_of = [&](const credential& value) {
        auto parts = place_of(session, principal, name);
        const auto& token = value.refresh_token.empty() ? value.access_token : value.refresh_token;
        const auto id = hex_encode(sha256(token.reveal())).substr(0, 32);
        parts.push_back(id);
        return joined_key(parts);
    };
    const auto before = retired(session, principal, name);
    if (!before)
        return before.error();
    std::vector<vault_write> changes{
        {record_kind::retired, key_of(kept.value), retired_to_json(kept), until, {}}};
    for (std::size_t i = retired_kept - 1; i < before->size(); ++i)
        changes.push_back({record_kind::retired, key_of((*before)[i].value), {}, {}, {}});
    auto done = vault_.write(std::move(changes));
    return done ? result<void>{} : result<void>(done.error());
}

result<void> credential_store::forget_retired(bool session, const std::string& principal,
                                              const std::string& name) {
    auto records = records_of(vault_, session, principal, name);
    if (!records)
        return records.error();
    std::vector<vault_write> gone;
    for (const auto& record : *records)
        gone.push_back({record_kind::retired, record.key, {}, {}, {}});
    if (gone.empty())
        return {};
    auto done = vault_.write(std::move(gone));
    return done ? result<void>{} : result<void>(done.error());
}

} // namespace reauth
