// Keys and JSON around the vault's records.
#include "proxy/vault/credential_store.hpp"

#include "core/oauth/credential_json.hpp"
#include "core/text/encoding.hpp"
#include "proxy/vault/stored_json.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace reauth {

namespace {

/// What is left of an erased credential: no token, only its generation.
constexpr auto erased_type = "erased";
bool erased(const credential& value) {
    return value.token_type == erased_type;
}

} // namespace

std::string joined_key(const std::vector<std::string_view>& parts) {
    std::string key;
    for (const auto& part : parts) {
        if (&part != &parts.front())
            key += ' ';
        for (const char c : part) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte <= ' ' || byte == '%' || byte == 0x7f)
                key += "%" + hex_encode(std::string_view(&c, 1));
            else
                key += c;
        }
    }
    return key;
}

std::optional<std::vector<std::string>> split_key(std::string_view key) {
    std::vector<std::string> parts;
    for (;;) {
        const auto end = key.find(' ');
        auto part = percent_decode(key.substr(0, end), false);
        if (!part)
            return std::nullopt;
        parts.push_back(std::move(*part));
        if (end == std::string_view::npos)
            return parts;
        key.remove_prefix(end + 1);
    }
}

namespace {

/// A state and the version of the record it was read from.
struct versioned_state {
    life::stored_state state;
    std::string version;
};

result<versioned_state> read_state(vault& records, record_kind kind, const std::string& key) {
    auto found = records.read(kind, key);
    if (!found)
        return found.error();
    versioned_state out;
    out.version = std::move(found->version);
    if (!found->value)
        return out;
    if (kind == record_kind::idp_session) {
        auto session = session_from_json(*found->value);
        if (!session)
            return session.error();
        out.state.generation = session->generation;
        if (!session->id_token.empty())
            out.state.value = credential_of(*session);
        return out;
    }
    auto value = credential_from_json(*found->value);
    if (!value)
        return value.error();
    out.state.generation = value->generation;
    if (!erased(*value))
        out.state.value = std::move(*value);
    return out;
}

/// What ends with every change of the credential: the refresh that was under way.
vault_write no_flight(const std::string& flight) {
    return {record_kind::flight, flight, {}, {}, {}};
}

/// Compare-and-set: stores unless something newer than `expected` is there, which is what is given back.
result<std::optional<life::stored_state>> replace(vault& records, record_kind kind, const std::string& key,
                                                  const secret& value, std::uint64_t expected,
                                                  const std::vector<vault_write>& others) {
    for (;;) {
        auto there = read_state(records, kind, key);
        if (!there)
            return there.error();
        if (there->state.generation > expected)
            return std::optional<life::stored_state>(std::move(there->state));
        std::vector<vault_write> changes{{kind, key, value, {}, std::move(there->version)}};
        changes.insert(changes.end(), others.begin(), others.end());
        auto done = records.write(std::move(changes));
        if (!done)
            return done.error();
        if (*done)
            return std::optional<life::stored_state>();
    }
}

/// Compare-and-set of a tombstone, of at least that generation. 0: what is there is newer than `only_until`.
result<std::uint64_t> bury(vault& records, record_kind kind, const std::string& key,
                           const std::string& flight, std::uint64_t tombstone, std::uint64_t only_until,
                           const std::function<secret(std::uint64_t)>& remains) {
    for (;;) {
        auto there = read_state(records, kind, key);
        if (there && only_until && there->state.generation > only_until)
            return 0;
        const auto generation = std::max(tombstone, there ? there->state.generation + 1 : 1);
        // what can't be read is replaced all the same
        const auto expected = there ? std::optional(there->version) : std::nullopt;
        auto done = records.write({{kind, key, remains(generation), {}, expected}, no_flight(flight)});
        if (!done)
            return done.error();
        if (*done)
            return generation;
    }
}

} // namespace

result<life::stored_state> credential_store::find_credential(const std::string& principal,
                                                             const std::string& upstream,
                                                             const std::string& issuer) {
    auto found = read_state(vault_, record_kind::credential, joined_key({principal, upstream, issuer}));
    if (!found)
        return found.error();
    return std::move(found->state);
}

result<std::optional<life::stored_state>>
credential_store::store_credential(const std::string& principal, const std::string& upstream,
                                   const credential& value, std::uint64_t expected, bool pin) {
    std::vector<vault_write> others{no_flight(flight_key(false, principal, upstream))};
    if (pin)
        others.push_back(
            {record_kind::issuer_pin, joined_key({principal, upstream}), secret(value.issuer), {}, {}});
    return replace(vault_, record_kind::credential, joined_key({principal, upstream, value.issuer}),
                   credential_to_json(value), expected, others);
}

result<std::uint64_t> credential_store::erase_credential(const std::string& principal,
                                                         const std::string& upstream,
                                                         const std::string& issuer, std::uint64_t tombstone,
                                                         std::uint64_t only_until) {
    return bury(vault_, record_kind::credential, joined_key({principal, upstream, issuer}),
                flight_key(false, principal, upstream), tombstone, only_until, [&](std::uint64_t generation) {
                    credential remains;
                    remains.token_type = erased_type;
                    remains.access_token = secret(erased_type);
                    remains.issuer = issuer;
                    remains.generation = generation;
                    return credential_to_json(remains);
                });
}

result<std::vector<held_credential>> credential_store::credentials(const std::string& principal) {
    auto records = vault_.list(record_kind::credential,
                               principal.empty() ? std::string() : joined_key({principal}) + " ");
    if (!records)
        return records.error();
    std::vector<held_credential> out;
    for (const auto& record : *records) {
        auto parts = split_key(record.key);
        auto value = credential_from_json(record.value);
        if (!value)
            return value.error();
        if (parts && parts->size() == 3 && !erased(*value))
            out.push_back({(*parts)[0], (*parts)[1], std::move(*value)});
    }
    return out;
}

result<std::optional<std::string>> credential_store::pinned_issuer(const std::string& principal,
                                                                   const std::string& upstream) {
    auto record = vault_.get(record_kind::issuer_pin, joined_key({principal, upstream}));
    if (!record)
        return record.error();
    std::optional<std::string> issuer;
    if (record->has_value())
        issuer.emplace((*record)->reveal());
    return issuer;
}

result<void> credential_store::pin_issuer(const std::string& principal, const std::string& upstream,
                                          const std::string& issuer) {
    return vault_.put(record_kind::issuer_pin, joined_key({principal, upstream}), secret(issuer));
}

result<void> credential_store::unpin_issuer(const std::string& principal, const std::string& upstream) {
    return vault_.erase(record_kind::issuer_pin, joined_key({principal, upstream}));
}

result<life::stored_state> credential_store::find_session(const std::string& principal,
                                                          const std::string& identity_provider) {
    auto found = read_state(vault_, record_kind::idp_session, joined_key({principal, identity_provider}));
    if (!found)
        return found.error();
    return std::move(found->state);
}

result<std::optional<life::stored_state>> credential_store::store_session(const std::string& principal,
                                                                          const idp_session& session,
                                                                          std::uint64_t expected) {
    return replace(vault_, record_kind::idp_session, joined_key({principal, session.identity_provider}),
                   session_to_json(session), expected,
                   {no_flight(flight_key(true, principal, session.identity_provider))});
}

result<std::uint64_t> credential_store::erase_session(const std::string& principal,
                                                      const std::string& identity_provider,
                                                      std::uint64_t tombstone, std::uint64_t only_until) {
    return bury(vault_, record_kind::idp_session, joined_key({principal, identity_provider}),
                flight_key(true, principal, identity_provider), tombstone, only_until,
                [&](std::uint64_t generation) {
                    idp_session remains;
                    remains.identity_provider = identity_provider;
                    remains.generation = generation;
                    return session_to_json(remains);
                });
}

result<std::vector<held_session>> credential_store::sessions() {
    auto records = vault_.list(record_kind::idp_session);
    if (!records)
        return records.error();
    std::vector<held_session> out;
    for (const auto& record : *records) {
        auto parts = split_key(record.key);
        auto value = session_from_json(record.value);
        if (!value)
            return value.error();
        if (parts && parts->size() == 2 && !value->id_token.empty())
            out.push_back({(*parts)[0], std::move(*value)});
    }
    return out;
}

} // namespace reauth
