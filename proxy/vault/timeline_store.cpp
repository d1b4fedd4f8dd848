// Parts of timelines, and heads of audits, in the vault.
#include "proxy/vault/stored_json.hpp"

namespace reauth {
namespace {

// ids of one length: the order of the keys is that of time
std::string key_of(const timeline_part& p) {
    return p.id + "/" + p.process;
}

result<std::vector<timeline_part>> parts_of(result<std::vector<vault_record>> records) {
    if (!records)
        return records.error();
    std::vector<timeline_part> out;
    for (auto& r : *records)
        if (const auto slash = r.key.find('/'); slash != std::string::npos)
            out.push_back({r.key.substr(0, slash), r.key.substr(slash + 1), std::move(r.value)});
    return out;
}

} // namespace

result<void> credential_store::store_timelines(const std::vector<timeline_part>& parts, time_point until) {
    std::vector<vault_write> all;
    for (const auto& p : parts)
        all.push_back({record_kind::timeline, key_of(p), p.text, until, {}});
    const auto done = vault_.write(std::move(all));
    return done ? result<void>{} : result<void>(done.error());
}

result<std::vector<timeline_part>> credential_store::timeline_parts(const std::string& id) {
    return parts_of(vault_.list(record_kind::timeline, id + "/"));
}

result<std::vector<timeline_part>>
credential_store::last_timelines(const std::optional<timeline_part>& before, std::size_t most) {
    return parts_of(vault_.last(record_kind::timeline, before ? key_of(*before) : std::string(), most));
}

result<void> credential_store::keep_last_timelines(std::size_t kept) {
    return vault_.keep_last(record_kind::timeline, kept);
}

result<void> credential_store::store_audit_head(const std::string& log, const std::string& head) {
    return vault_.put(record_kind::audit_head, log, secret(head));
}

result<std::vector<std::string>> credential_store::audit_heads() {
    auto records = vault_.list(record_kind::audit_head);
    if (!records)
        return records.error();
    std::vector<std::string> out;
    for (const auto& r : *records)
        out.emplace_back(r.value.reveal());
    return out;
}

} // namespace reauth
