// Keys and JSON around the vault's records.
#include "proxy/vault/credential_store.hpp"

#include "core/credential_json.hpp"
#include "core/encoding.hpp"
#include "proxy/vault/record_store.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
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

constexpr auto kept_after_decision = std::chrono::hours(1);

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
result<std::uint64_t> bury(vault& records, record_kind kind, const std::string& key, const std::string& flight,
                           std::uint64_t tombstone, std::uint64_t only_until,
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

std::string flight_key(bool session, const std::string& principal, const std::string& name) {
    return joined_key({session ? "idp" : "upstream", principal, name});
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

result<std::optional<life::stored_state>> credential_store::store_credential(const std::string& principal,
                                                                             const std::string& upstream,
                                                                             const credential& value,
                                                                             std::uint64_t expected,
                                                                             bool pin) {
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

/// Registrations of before had no client_id in their key: they are listed too, and erased with the others.
result<std::vector<registered_client>> credential_store::registrations(const std::string& issuer,
                                                                       const std::string& upstream) {
    auto records = vault_.list(record_kind::registration);
    if (!records)
        return records.error();
    std::vector<registered_client> out;
    for (const auto& record : *records) {
        const auto parts = split_key(record.key);
        if (!parts || parts->size() < 2 || (*parts)[0] != issuer || (*parts)[1] != upstream)
            continue;
        auto client = registered_client_from_json(record.value);
        if (!client)
            return client.error();
        out.push_back(std::move(*client));
    }
    return out;
}

result<void> credential_store::store_registration(const std::string& upstream,
                                                  const registered_client& client) {
    return vault_.put(record_kind::registration, joined_key({client.issuer, upstream, client.identity.id}),
                      registered_client_to_json(client));
}

result<void> credential_store::erase_registration(const std::string& issuer, const std::string& upstream,
                                                  const std::string& client_id) {
    auto records = vault_.list(record_kind::registration);
    if (!records)
        return records.error();
    std::vector<vault_write> gone;
    for (const auto& record : *records) {
        const auto parts = split_key(record.key);
        if (!parts || parts->size() < 2 || (*parts)[0] != issuer || (*parts)[1] != upstream)
            continue;
        const auto client = registered_client_from_json(record.value);
        if (client_id.empty() || !client || client->identity.id == client_id)
            gone.push_back({record_kind::registration, record.key, {}, {}, {}});
    }
    if (gone.empty())
        return {};
    auto done = vault_.write(std::move(gone));
    return done ? result<void>{} : result<void>(done.error());
}

result<void> credential_store::began_refresh(const refresh_mark& mark) {
    return vault_.put(record_kind::flight, flight_key(mark.session, mark.principal, mark.name),
                      secret(std::to_string(mark.generation) + " " + mark.by));
}

result<void> credential_store::ended_refresh(const refresh_mark& mark) {
    const auto key = flight_key(mark.session, mark.principal, mark.name);
    auto found = vault_.read(record_kind::flight, key);
    if (!found)
        return found.error();
    if (!found->value || !found->value->equals(std::to_string(mark.generation) + " " + mark.by))
        return {};
    auto done = vault_.write({{record_kind::flight, key, {}, {}, std::move(found->version)}});
    return done ? result<void>{} : result<void>(done.error());
}

result<std::optional<refresh_mark>> credential_store::refresh_under_way(bool session,
                                                                        const std::string& principal,
                                                                        const std::string& name) {
    auto found = vault_.get(record_kind::flight, flight_key(session, principal, name));
    if (!found)
        return found.error();
    std::optional<refresh_mark> mark;
    if (!found->has_value())
        return mark;
    const auto text = (*found)->reveal();
    mark = refresh_mark{session, principal, name, 0, std::string(text.substr(text.find(' ') + 1))};
    std::from_chars(text.data(), text.data() + text.size(), mark->generation);
    return mark;
}

std::string credential_store::question_key(const shared_question& q) {
    return joined_key({q.session ? "idp" : "upstream", q.shown.principal, q.name,
                       q.silent.empty() ? "login" : "confirm", q.login_scopes.to_string()});
}

result<std::optional<shared_question>> credential_store::store_question(const shared_question& now,
                                                                        time_point at) {
    const auto key = question_key(now);
    for (;;) {
        auto found = vault_.read(record_kind::approval, key);
        if (!found)
            return found.error();
        auto there = parsed<shared_question>(std::move(found->value), question_from_json);
        if (there && there->has_value()) {
            const auto& other = (*there)->shown;
            const bool open = !decided(other.status) && at < other.expires_at;
            const bool same = other.id == now.shown.id;
            const bool other_flow = other.status == approval_status::authorizing &&
                                    now.shown.status == approval_status::authorizing &&
                                    !((*there)->pending_state == now.pending_state);
            if (same ? decided(other.status) || other_flow : open)
                return there;
        }
        const auto until = std::max(now.shown.expires_at, at) + kept_after_decision;
        auto done = vault_.write(
            {{record_kind::approval, key, question_to_json(now), until, std::move(found->version)}});
        if (!done)
            return done.error();
        if (*done)
            return std::optional<shared_question>();
    }
}

result<std::vector<shared_question>> credential_store::questions() {
    auto records = vault_.list(record_kind::approval);
    if (!records)
        return records.error();
    std::vector<shared_question> out;
    for (const auto& record : *records)
        if (auto q = question_from_json(record.value)) // one of another version is none of ours
            out.push_back(std::move(*q));
    return out;
}

result<std::optional<shared_question>> credential_store::find_question(const std::string& key) {
    return parsed(vault_.get(record_kind::approval, key), question_from_json);
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
