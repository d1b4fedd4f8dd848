// Ends of identities, and which events were heard of, in the vault.
#include "core/crypto/digest.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/encoding.hpp"
#include "proxy/vault/stored_json.hpp"

namespace reauth {
namespace {

/// No token that was issued before an end lives longer.
constexpr std::chrono::hours end_kept{32 * 24};

std::string key_of_end(const ended_identity& e) {
    static constexpr std::string_view words[] = {"principal", "subject", "session"};
    return joined_key({words[static_cast<std::size_t>(e.kind)], e.issuer, e.value});
}

result<ended_identity> end_from_json(const std::string& key, const secret& text) {
    const auto parts = split_key(key);
    const auto in = read_json(text.reveal()).value_or(nlohmann::json());
    const auto at = json_time(in, "at", 1000);
    if (!parts || parts->size() != 3 || !at)
        return failure::permanent(fault::vault_unavailable, "an end of an identity can't be read");
    ended_identity e;
    e.kind = (*parts)[0] == "principal" ? identity_kind::principal
             : (*parts)[0] == "subject" ? identity_kind::subject
                                        : identity_kind::session;
    e.issuer = (*parts)[1];
    e.value = (*parts)[2];
    e.at = *at;
    e.why = json_string(in, "why");
    e.renewed = json_bool(in, "renewed");
    e.done = json_bool(in, "done");
    return e;
}

constexpr const char *begun = "begun", *done = "heard"; ///< what a heard event's record says

std::string event_key(const std::string& issuer, const std::string& id) {
    return base64url_encode(sha256(issuer + "\n" + id));
}

} // namespace

result<void> credential_store::store_identity_end(const ended_identity& e) {
    const nlohmann::json text{
        {"at", stored_time(e.at)}, {"why", e.why}, {"renewed", e.renewed}, {"done", e.done}};
    return vault_.put(record_kind::identity_end, key_of_end(e), secret(json_text(text)), e.at + end_kept);
}

result<std::vector<ended_identity>> credential_store::identity_ends() {
    auto records = vault_.list(record_kind::identity_end);
    if (!records)
        return records.error();
    std::vector<ended_identity> out;
    for (const auto& record : *records)
        if (auto e = end_from_json(record.key, record.value)) // one of another version is none of ours
            out.push_back(std::move(*e));
    return out;
}

result<std::optional<ended_identity>> credential_store::find_identity_end(const std::string& key) {
    auto found = vault_.get(record_kind::identity_end, key);
    if (!found)
        return found.error();
    if (!found->has_value())
        return std::optional<ended_identity>();
    auto e = end_from_json(key, **found);
    if (!e)
        return e.error();
    return std::optional<ended_identity>(std::move(*e));
}

result<event_hearing> credential_store::hear(const std::string& issuer, const std::string& id,
                                             time_point until) {
    const auto key = event_key(issuer, id);
    auto first = vault_.write({{record_kind::heard_event, key, secret(begun), until, std::string()}});
    if (!first)
        return first.error();
    if (*first)
        return event_hearing::first;
    auto there = vault_.get(record_kind::heard_event, key);
    if (!there)
        return there.error();
    return *there && (*there)->equals(done) ? event_hearing::done : event_hearing::under_way;
}

result<void> credential_store::heard(const std::string& issuer, const std::string& id, time_point until) {
    return vault_.put(record_kind::heard_event, event_key(issuer, id), secret(done), until);
}

result<void> credential_store::unhear(const std::string& issuer, const std::string& id) {
    return vault_.erase(record_kind::heard_event, event_key(issuer, id));
}

} // namespace reauth
