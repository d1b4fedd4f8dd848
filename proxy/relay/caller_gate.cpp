// The entries in their order; who was verified is remembered.
#include "proxy/relay/caller_gate.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

namespace reauth {
namespace {

using std::chrono::steady_clock;

/// A gateway's word, and a certificate's names, are looked at again so often.
constexpr std::chrono::minutes word_holds{5};
constexpr std::size_t longest_name = 255, longest_word = 8 * 1024;

caller_ptr outside_caller(const client_auth_entry& entry, std::string_view subject, caller made) {
    made.principal = principal_id::from_outside(principal_name(entry.name, subject));
    made.proof = entry.proof;
    return std::make_shared<const caller>(std::move(made));
}

/// The only field of that name; nothing: there is none, or several, of which either could be meant.
std::optional<std::string_view> only_value(const request_head& head, const std::string& name) {
    std::optional<std::string_view> found;
    for (const auto& f : head) {
        if (!iequals(f.name, name))
            continue;
        if (found)
            return std::nullopt;
        found = f.value;
    }
    return found;
}

std::vector<std::string> listed(std::string_view text) {
    std::vector<std::string> all;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        const auto one = trim_space(text.substr(0, comma));
        if (!one.empty())
            all.emplace_back(one);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

const std::string& name_of(const shown_certificate& shown, certificate_name wanted) {
    switch (wanted) {
    case certificate_name::cn:
        return shown.cn;
    case certificate_name::email:
        return shown.email;
    case certificate_name::uri:
        break;
    }
    return shown.uri;
}

caller_expectation expected_of(const jwt_caller_config& c, time_point now) {
    caller_expectation e;
    e.issuer = c.issuer;
    e.audience = c.audience;
    e.algorithms = c.algorithms;
    e.principal = c.principal;
    e.groups = c.groups;
    e.scopes = c.scopes;
    e.leeway = c.leeway;
    e.now = now;
    return e;
}

} // namespace

void caller::be_in(std::vector<std::string> all) {
    groups = std::move(all);
    groups_key = 0;
    for (const auto& g : groups) {
        const std::uint64_t h = std::hash<std::string>()(g);
        groups_key = (groups_key ^ h) * 0x9e3779b97f4a7c15ULL + g.size();
    }
    if (!groups.empty() && groups_key == 0)
        groups_key = 1;
}

std::string_view bearer_of(const request_head& head) noexcept {
    const auto given = head.value(field_id::authorization);
    constexpr std::string_view scheme = "Bearer ";
    if (given.size() <= scheme.size())
        return {};
    const bool usual = std::memcmp(given.data(), scheme.data(), scheme.size()) == 0;
    return usual || iequals(given.substr(0, scheme.size()), scheme) ? given.substr(scheme.size())
                                                                    : std::string_view();
}

issuer_place place_of(const jwt_caller_config& from) {
    return {from.issuer, from.jwks_uri, from.ca_file};
}

const caller_ptr* caller_gate::find(const keyed_digest::value& by, std::size_t entry,
                                    steady_clock::time_point now) {
    const auto found = known_.find(by);
    if (found == known_.end() || found->second.entry != entry)
        return nullptr;
    if (now < found->second.who->until)
        return &found->second.who;
    known_.erase(found);
    return nullptr;
}

void caller_gate::remember(const keyed_digest::value& by, caller_ptr who, std::size_t entry,
                           const routing_table& table) {
    const std::size_t most = std::max(1000u, 2 * table.settings->limits.principals);
    if (known_.size() >= most) {
        const auto now = steady_clock::now();
        std::erase_if(known_, [&](const auto& one) { return one.second.who->until <= now; });
        // nobody is lost: who is forgotten is verified again. Some at once, or each who comes would look at
        // all
        for (auto it = known_.begin(); known_.size() > most - most / 8 && it != known_.end();)
            it = known_.erase(it);
    }
    known_.insert_or_assign(by, known_caller{std::move(who), entry});
}

/// Believed with its secret, or over a Unix socket.
caller_ptr caller_gate::by_header(const request_head& head, const routing_table& table, std::size_t entry,
                                  const listener_identity& listener, steady_clock::time_point now) {
    const auto& c = table.settings->client_auth[entry].header;
    if (c.secret_name.empty() ? listener.port != 0
                              : !c.secret_value.equals(only_value(head, c.secret_name).value_or("")))
        return nullptr;
    std::string_view groups;
    if (!c.groups.empty())
        groups = only_value(head, c.groups).value_or("");
    return by_word(only_value(head, c.name).value_or(""), groups, table, entry, now);
}

/// Who is called so, by somebody who is believed.
caller_ptr caller_gate::by_word(std::string_view name, std::string_view groups, const routing_table& table,
                                std::size_t entry, steady_clock::time_point now) {
    if (name.empty() || name.size() > longest_name || groups.size() > longest_word)
        return nullptr;
    // neither holds a line break, with which no token begins
    std::array<char, longest_name + longest_word + 4> text; // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t size = 0;
    for (const auto part : {std::string_view("\n"), name, std::string_view("\n"), groups}) {
        std::copy(part.begin(), part.end(), text.begin() + static_cast<std::ptrdiff_t>(size));
        size += part.size();
    }
    const auto by = digest_.of({text.data(), size});
    if (const auto* known = find(by, entry, now))
        return *known;
    caller made;
    made.until = now + word_holds;
    made.be_in(listed(groups));
    auto who = outside_caller(table.settings->client_auth[entry], name, std::move(made));
    remember(by, who, entry, table);
    return who;
}

caller_check caller_gate::look(const request_head& head, const std::shared_ptr<const routing_table>& table,
                               const shown_certificate* certificate, const listener_identity& listener,
                               steady_clock::time_point now, std::size_t entry) {
    const auto& entries = table->settings->client_auth;
    const auto configured = [&](std::size_t i) {
        return caller_check{caller_check::kind::known, caller_ptr(caller_ptr(), &table->callers[i]), i, {}};
    };
    if (entries.empty())
        return configured(0);
    caller_check out;
    if (known_for_ != table->version) {
        known_.clear();
        known_for_ = table->version;
    }
    const auto token = bearer_of(head);
    for (; entry < entries.size(); ++entry) {
        const auto& e = entries[entry];
        switch (e.proof) {
        case caller_proof::bearer:
            if (!token.empty() && e.bearer.equals(token))
                return configured(entry);
            break;
        case caller_proof::jwt:
            if (token.empty())
                break;
            if (token.size() > longest_caller_token) {
                out.why = token_fault::malformed;
                break;
            }
            if (const auto* known = find(digest_.of(token), entry, now))
                return {caller_check::kind::known, *known, entry, {}};
            return {caller_check::kind::verify, nullptr, entry, {}};
        case caller_proof::mtls:
            if (certificate && now < certificate->until)
                if (auto who = by_word(name_of(*certificate, e.mtls.principal), {}, *table, entry, now))
                    return {caller_check::kind::known, std::move(who), entry, {}};
            break;
        case caller_proof::header:
            if (auto who = by_header(head, *table, entry, listener, now))
                return {caller_check::kind::known, std::move(who), entry, {}};
            break;
        }
    }
    return out;
}

verified_token caller_gate::verify(const request_head& head,
                                   const std::shared_ptr<const routing_table>& table, std::size_t entry,
                                   const issuer_keys& keys, time_point now) {
    const auto& e = table->settings->client_auth[entry];
    const auto token = bearer_of(head);
    auto checked = check_caller_token(token, keys.jwks, expected_of(e.jwt, now));
    if (checked.why)
        return {nullptr, checked.why};
    caller made;
    made.by_authorization = true;
    made.id_token = checked.claims.id_token;
    made.expires_at = checked.claims.expires_at;
    made.issued_at = checked.claims.issued_at;
    if (const auto& sub = checked.claims.sub; !sub.empty())
        made.subject_key = identity_key(identity_kind::subject, e.jwt.issuer, sub);
    if (const auto& sid = checked.claims.sid; !sid.empty())
        made.session_key = identity_key(identity_kind::session, e.jwt.issuer, sid);
    made.until = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                           checked.claims.expires_at + e.jwt.leeway - now);
    made.be_in(std::move(checked.claims.groups));
    auto who = outside_caller(e, checked.claims.subject, std::move(made));
    if (ended_ && ended_before(*ended_, *who))
        return {nullptr, token_fault::ended};
    remember(digest_.of(token), who, entry, *table);
    return {std::move(who), {}};
}

std::vector<std::string> caller_gate::end(const identity_end& what) {
    ended_ = what.all;
    std::vector<std::string> found;
    std::erase_if(known_, [&](const auto& one) {
        const auto& who = *one.second.who;
        const bool over = what.covers(who);
        if (over)
            found.push_back(who.principal.name());
        return over;
    });
    return found;
}

void caller_gate::forget(const std::vector<std::uint32_t>& principals) {
    std::erase_if(known_, [&](const auto& one) {
        return std::binary_search(principals.begin(), principals.end(), one.second.who->principal.number());
    });
}

} // namespace reauth
