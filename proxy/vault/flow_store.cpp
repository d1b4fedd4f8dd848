// What is under way, in the vault: clients, flows of persons, refreshes, open questions.
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "proxy/vault/stored_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace reauth {
namespace {

constexpr auto outcome_kept = std::chrono::hours(1);

} // namespace

std::string flight_key(bool session, const std::string& principal, const std::string& name) {
    return joined_key({session ? "idp" : "upstream", principal, name});
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
        const bool there = issuer.empty() || (parts && !parts->empty() && (*parts)[0] == issuer);
        if (!parts || parts->size() < 2 || !there || (*parts)[1] != upstream)
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

result<std::optional<refresh_mark>>
credential_store::refresh_under_way(bool session, const std::string& principal, const std::string& name) {
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

result<void> credential_store::postpone(bool session, const std::string& principal, const std::string& name,
                                        time_point until) {
    const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(until.time_since_epoch()).count();
    return vault_.put(record_kind::postponed, flight_key(session, principal, name),
                      secret(std::to_string(at)), until);
}

result<std::optional<time_point>> credential_store::postponed(bool session, const std::string& principal,
                                                              const std::string& name) {
    auto found = vault_.get(record_kind::postponed, flight_key(session, principal, name));
    if (!found)
        return found.error();
    std::optional<time_point> until;
    if (!found->has_value())
        return until;
    std::int64_t at = 0;
    const auto text = (*found)->reveal();
    std::from_chars(text.data(), text.data() + text.size(), at);
    until = time_point(std::chrono::milliseconds(at));
    return until;
}

std::string credential_store::approval_key(const approval_record& q) {
    if (q.shown.kind == approval_kind::call)
        return joined_key({"call", q.shown.principal, q.name, q.place, q.shown.id});
    std::string authentication; // RFC 9470: another question than one without
    if (!q.shown.acr_values.empty() || q.shown.max_age)
        authentication = " acr=" + q.shown.acr_values +
                         " max_age=" + (q.shown.max_age ? std::to_string(q.shown.max_age->count()) : "");
    return joined_key({q.session ? "idp" : "upstream", q.shown.principal, q.name, q.place,
                       q.silent.empty() ? "login" : "confirm", q.login_scopes.to_string() + authentication});
}

result<std::optional<approval_record>> credential_store::store_approval(const approval_record& now,
                                                                        time_point at, bool fresh) {
    const auto key = approval_key(now);
    for (;;) {
        auto found = vault_.read(record_kind::approval, key);
        if (!found)
            return found.error();
        auto there = parsed<approval_record>(std::move(found->value), record_from_json);
        const bool known = there && there->has_value();
        const auto* other = known ? &(*there)->shown : nullptr;
        const bool same = other && other->id == now.shown.id;
        if (same) {
            const bool other_flow = other->status == approval_status::authorizing &&
                                    now.shown.status == approval_status::authorizing &&
                                    !((*there)->pending_state == now.pending_state);
            if (decided(other->status) || other_flow)
                return there;
        } else if (other && !decided(other->status) && at < other->expires_at) {
            return there;
        } else if (!fresh) {
            return std::optional<approval_record>(); // it was decided, and what became of it is past
        }
        const auto until = std::max(now.shown.expires_at, at) + outcome_kept;
        auto done = vault_.write(
            {{record_kind::approval, key, record_to_json(now), until, std::move(found->version)}});
        if (!done)
            return done.error();
        if (*done)
            return std::optional<approval_record>();
    }
}

result<bool> credential_store::take_call(approval_record as, time_point at) {
    const auto key = approval_key(as);
    as.shown.used = true;
    as.shown.outcome = "Approved, and sent.";
    for (;;) {
        auto found = vault_.read(record_kind::approval, key);
        if (!found)
            return found.error();
        auto there = parsed<approval_record>(std::move(found->value), record_from_json);
        if (!there)
            return there.error();
        if (!there->has_value())
            return false;
        const auto& now = (*there)->shown;
        const bool undecided = now.status == approval_status::pending; // our own yes is on its way there
        if (now.used || at >= now.expires_at || (!undecided && now.status != approval_status::approved))
            return false;
        const auto until = std::max(now.expires_at, at) + outcome_kept;
        auto done = vault_.write(
            {{record_kind::approval, key, record_to_json(as), until, std::move(found->version)}});
        if (!done)
            return done.error();
        if (*done)
            return true;
    }
}

result<std::vector<approval_record>> credential_store::approvals() {
    auto records = vault_.list(record_kind::approval);
    if (!records)
        return records.error();
    std::vector<approval_record> out;
    for (const auto& record : *records)
        if (auto q = record_from_json(record.value)) // one of another version is none of ours
            out.push_back(std::move(*q));
    return out;
}

result<std::optional<approval_record>> credential_store::find_approval(const std::string& key) {
    return parsed(vault_.get(record_kind::approval, key), record_from_json);
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

result<void> credential_store::keep_page_link(const std::string& digest, time_point until) {
    return vault_.put(record_kind::page_link, digest, secret("once"), until);
}

result<bool> credential_store::take_page_link(const std::string& digest) {
    auto taken = vault_.take(record_kind::page_link, digest);
    if (!taken)
        return taken.error();
    return taken->has_value();
}

result<std::vector<remembered_rule>> credential_store::rules() {
    auto records = vault_.list(record_kind::rule);
    if (!records)
        return records.error();
    std::vector<remembered_rule> out;
    for (const auto& record : *records) {
        const auto in = read_json(record.value.reveal()).value_or(nlohmann::json());
        const auto scopes = json_string(in, "scopes");
        if (scopes.empty()) // of another version
            continue;
        out.push_back({record.key, json_string(in, "principal"), json_string(in, "upstream"),
                       scope_set::parse(scopes), time_stored(in.value("created_at", nlohmann::json(0)))});
    }
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return a.created_at < b.created_at; });
    return out;
}

result<void> credential_store::store_rule(const remembered_rule& rule) {
    const nlohmann::json text{{"principal", rule.principal},
                              {"upstream", rule.upstream},
                              {"scopes", rule.scopes.to_string()},
                              {"created_at", stored_time(rule.created_at)}};
    return vault_.put(record_kind::rule, rule.id, secret(json_text(text)));
}

result<bool> credential_store::erase_rule(const std::string& id) {
    auto taken = vault_.take(record_kind::rule, id);
    if (!taken)
        return taken.error();
    return taken->has_value();
}

} // namespace reauth
