// Keys and JSON around the vault's records.
#include "proxy/vault/credential_store.hpp"

#include "core/credential_json.hpp"
#include "core/encoding.hpp"
#include "proxy/vault/record_store.hpp"

#include <algorithm>
#include <utility>

namespace reauth {

namespace {

/// A record of a kind as T, or nothing.
template<class T>
result<std::optional<T>> parsed(const result<std::optional<secret>>& record,
                                result<T> (*parse)(const secret&)) {
    if (!record)
        return record.error();
    if (!record->has_value())
        return std::optional<T>();
    auto value = parse(**record);
    if (!value)
        return value.error();
    return std::optional<T>(std::move(*value));
}

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

result<life::stored_state> credential_store::find_credential(const std::string& principal,
                                                             const std::string& upstream,
                                                             const std::string& issuer) {
    auto found = parsed(vault_.get(record_kind::credential, joined_key({principal, upstream, issuer})),
                        credential_from_json);
    if (!found)
        return found.error();
    life::stored_state state;
    if (found->has_value()) {
        state.generation = (*found)->generation;
        if (!erased(**found))
            state.value = std::move(**found);
    }
    return state;
}

result<std::optional<life::stored_state>> credential_store::store_credential(const std::string& principal,
                                                                             const std::string& upstream,
                                                                             const credential& value,
                                                                             std::uint64_t expected) {
    auto there = find_credential(principal, upstream, value.issuer);
    if (!there)
        return there.error();
    if (there->generation > expected)
        return std::optional<life::stored_state>(std::move(*there));
    auto done = vault_.put(record_kind::credential, joined_key({principal, upstream, value.issuer}),
                           credential_to_json(value));
    if (!done)
        return done.error();
    return std::optional<life::stored_state>();
}

result<std::uint64_t> credential_store::erase_credential(const std::string& principal,
                                                         const std::string& upstream,
                                                         const std::string& issuer, std::uint64_t tombstone,
                                                         std::uint64_t only_until) {
    auto there = find_credential(principal, upstream, issuer);
    if (there && only_until && there->generation > only_until)
        return 0;
    credential remains;
    remains.token_type = erased_type;
    remains.access_token = secret(erased_type);
    remains.issuer = issuer;
    // what can't be read is replaced all the same
    remains.generation = std::max(tombstone, there ? there->generation + 1 : 1);
    auto done = vault_.put(record_kind::credential, joined_key({principal, upstream, issuer}),
                           credential_to_json(remains));
    if (!done)
        return done.error();
    return remains.generation;
}

result<std::vector<held_credential>> credential_store::credentials() {
    auto records = vault_.list(record_kind::credential);
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

result<std::optional<registered_client>> credential_store::find_registration(const std::string& issuer,
                                                                             const std::string& upstream) {
    return parsed(vault_.get(record_kind::registration, joined_key({issuer, upstream})),
                  registered_client_from_json);
}

result<void> credential_store::store_registration(const std::string& upstream,
                                                  const registered_client& client) {
    return vault_.put(record_kind::registration, joined_key({client.issuer, upstream}),
                      registered_client_to_json(client));
}

result<void> credential_store::erase_registration(const std::string& issuer, const std::string& upstream) {
    return vault_.erase(record_kind::registration, joined_key({issuer, upstream}));
}

result<void> credential_store::store_pending(const pending_authorization& pending) {
    return vault_.put(record_kind::pending_authorization, pending_key(pending.state.reveal()),
                      pending_to_json(pending), pending.expires_at + std::chrono::hours(1));
}

result<std::optional<pending_authorization>> credential_store::find_pending(std::string_view state) {
    return parsed(vault_.get(record_kind::pending_authorization, pending_key(state)), pending_from_json);
}

result<void> credential_store::discard_pendings(const std::string& principal, const std::string& name) {
    auto records = vault_.list(record_kind::pending_authorization);
    if (!records)
        return records.error();
    for (const auto& record : *records) {
        auto pending = pending_from_json(record.value);
        const bool its = pending && pending->principal == principal &&
                         (pending->kind == authorization_kind::idp_login ? pending->identity_provider
                                                                         : pending->upstream) == name;
        if (!its)
            continue;
        auto gone = vault_.erase(record_kind::pending_authorization, record.key);
        if (!gone)
            return gone.error();
    }
    return {};
}

result<std::optional<pending_authorization>> credential_store::take_pending(std::string_view state) {
    return parsed(vault_.take(record_kind::pending_authorization, pending_key(state)), pending_from_json);
}

result<life::stored_state> credential_store::find_session(const std::string& principal,
                                                          const std::string& identity_provider) {
    auto found = parsed(vault_.get(record_kind::idp_session, joined_key({principal, identity_provider})),
                        session_from_json);
    if (!found)
        return found.error();
    life::stored_state state;
    if (found->has_value()) {
        state.generation = (*found)->generation;
        if (!(*found)->id_token.empty())
            state.value = credential_of(**found);
    }
    return state;
}

result<std::optional<life::stored_state>> credential_store::store_session(const std::string& principal,
                                                                          const idp_session& session,
                                                                          std::uint64_t expected) {
    auto there = find_session(principal, session.identity_provider);
    if (!there)
        return there.error();
    if (there->generation > expected)
        return std::optional<life::stored_state>(std::move(*there));
    auto done = vault_.put(record_kind::idp_session, joined_key({principal, session.identity_provider}),
                           session_to_json(session));
    if (!done)
        return done.error();
    return std::optional<life::stored_state>();
}

result<std::uint64_t> credential_store::erase_session(const std::string& principal,
                                                      const std::string& identity_provider,
                                                      std::uint64_t tombstone, std::uint64_t only_until) {
    auto there = find_session(principal, identity_provider);
    if (there && only_until && there->generation > only_until)
        return 0;
    idp_session remains;
    remains.identity_provider = identity_provider;
    remains.generation = std::max(tombstone, there ? there->generation + 1 : 1);
    auto done = vault_.put(record_kind::idp_session, joined_key({principal, identity_provider}),
                           session_to_json(remains));
    if (!done)
        return done.error();
    return remains.generation;
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
