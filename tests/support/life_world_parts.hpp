// Around a credential's life: an authorization server that rotates and detects reuse, a vault that processes
// share, and what there is to know of both.
#pragma once

#include "core/text/encoding.hpp"
#include "policy/life/credential_life.hpp"

#include <map>
#include <set>
#include <string>

namespace reauth::test {

inline const time_point world_start = time_point(std::chrono::seconds(1'800'000'000));

/// Rotates refresh tokens; a spent one that comes again kills its family.
class world_server {
public:
    struct token {
        int family = 0;
        bool spent = false;
    };

    credential issue(scope_set scopes, bool with_refresh = true) {
        const auto family = ++families_;
        alive_.insert(family);
        return make(family, std::move(scopes), with_refresh);
    }
    /// nullopt: invalid_grant.
    std::optional<credential> refresh(const credential& held) {
        auto found = refresh_tokens_.find(std::string(held.refresh_token.reveal()));
        if (found == refresh_tokens_.end())
            return std::nullopt;
        auto& t = found->second;
        if (t.spent) {
            ++reuses;
            alive_.erase(t.family);
            return std::nullopt;
        }
        if (!alive_.contains(t.family))
            return std::nullopt;
        t.spent = true;
        const auto family = t.family;
        auto fresh = make(family, held.requested, true);
        fresh.resource = held.resource;
        return fresh;
    }
    /// By grant, as RFC 7009 section 2.1 allows: whatever this client and person hold ends with it.
    void revoke(const credential& c) {
        revoked_.insert(std::string(c.access_token.reveal()));
        if (family_of(c))
            alive_.clear();
    }
    bool revoked(const credential& c) const {
        return revoked_.contains(std::string(c.access_token.reveal()));
    }
    bool alive(const credential& c) const { return alive_.contains(family_of(c)); }
    int family_of(const credential& c) const {
        const auto found = access_tokens_.find(std::string(c.access_token.reveal()));
        return found == access_tokens_.end() ? 0 : found->second;
    }
    void end_family(const credential& c) { alive_.erase(family_of(c)); }

    int reuses = 0;
    std::string resource = "https://mcp.example/mcp";
    time_point now = world_start;
    std::chrono::seconds lifetime{60};
    std::chrono::seconds age{10}; ///< of what it issues: nothing that is refused was just issued

    std::string audience; ///< not empty: its access tokens are JWTs that name it

private:
    static std::string jwt_for(const std::string& audience, const std::string& n) {
        return base64url_encode(R"({"alg":"none"})") + "." +
               base64url_encode(R"({"aud":")" + audience + R"(","n":")" + n + "\"}") + ".c2ln";
    }
    credential make(int family, scope_set scopes, bool with_refresh) {
        const auto n = std::to_string(++tokens_);
        credential c;
        const auto text = audience.empty() ? "access-" + n : jwt_for(audience, n);
        c.access_token = secret(text);
        access_tokens_[text] = family;
        if (with_refresh) {
            c.refresh_token = secret("refresh-" + n);
            refresh_tokens_["refresh-" + n] = {family, false};
        }
        c.requested = c.granted = std::move(scopes);
        c.issuer = "https://as.example";
        c.resource = resource;
        c.client_id = "client";
        c.obtained_at = now - age;
        c.expires_at = now + lifetime;
        return c;
    }
    int families_ = 0, tokens_ = 0;
    std::map<std::string, token> refresh_tokens_;
    std::map<std::string, int> access_tokens_;
    std::set<int> alive_;
    std::set<std::string> revoked_;
};

/// What several processes share.
struct world_vault {
    std::optional<credential> value;
    std::uint64_t generation = 0;
    std::string pinned;
    std::set<std::string> flows; ///< states of pending authorizations
    bool writable = true, readable = true;
    std::optional<life::work_id> lock; ///< of ours; 0: the other process has it

    std::optional<time_point> not_before; ///< until when the server wants to be left alone

    life::stored_state state() const { return {value, generation, pinned, false, not_before}; }
    life::stored store(const life::store& s) {
        life::stored end;
        end.work = s.work;
        if (!writable) {
            end.is = life::store_result::failed;
            end.why = failure::passing(fault::vault_unavailable, "the disk is full");
        } else if (generation > s.expected) {
            end.is = life::store_result::newer;
            end.found = state();
        } else {
            value = s.value;
            generation = s.value.generation;
            if (s.pin)
                pinned = s.value.issuer;
        }
        return end;
    }
    result<std::uint64_t> erase(const life::erase& e) {
        if (!writable)
            return failure::passing(fault::vault_unavailable, "the disk is full");
        if (e.only_until && generation > e.only_until)
            return 0;
        generation = std::max(e.tombstone, generation + 1);
        value.reset();
        if (e.whole) {
            pinned.clear();
            flows.clear();
        }
        return generation;
    }
    void undo(const life::undo_store& u) {
        if (!writable || generation > u.unwanted.generation)
            return;
        generation = u.unwanted.generation + 1;
        value = u.previous;
        if (value)
            value->generation = generation;
    }
};

/// What all processes share: the server, the vault with its questions, and the flows that persons were sent
/// on.
struct world_commons {
    world_server server;
    world_vault vault;
    std::map<std::string, pending_authorization> begun; ///< by approval
    std::map<std::string, approval_record> questions;   ///< by what they ask for
    std::map<std::string, scope_set> opened_for;        ///< approval → scopes

    /// The flow that some process has begun for this approval, as the vault knows it.
    const approval_record* flow_of(const std::string& approval) const {
        for (const auto& [key, q] : questions)
            if (q.shown.id == approval && q.shown.status == approval_status::authorizing)
                return &q;
        return nullptr;
    }
    /// As credential_store::store_approval: the first one stays, and so does a decision.
    std::optional<approval_record> store(const approval_record& now, time_point at, bool fresh) {
        const auto key = now.login_scopes.to_string() + (now.silent.empty() ? "" : " confirm");
        const auto found = questions.find(key);
        const auto* there = found == questions.end() ? nullptr : &found->second;
        if (there && there->shown.id == now.shown.id) {
            const bool other_flow = there->shown.status == approval_status::authorizing &&
                                    now.shown.status == approval_status::authorizing &&
                                    !(there->pending_state == now.pending_state);
            if (decided(there->shown.status) || other_flow)
                return *there;
        } else if (there && !decided(there->shown.status) && at < there->shown.expires_at) {
            return *there;
        } else if (!fresh) {
            return std::nullopt;
        }
        questions[key] = now;
        return std::nullopt;
    }
};

inline discovered_server world_metadata(const std::string& issuer = "https://as.example") {
    discovered_server s;
    s.server.issuer = issuer;
    s.server.authorization_endpoint = issuer + "/authorize";
    s.server.token_endpoint = issuer + "/token";
    s.resource = "https://mcp.example/mcp";
    s.scopes_supported = scope_set{"read"};
    return s;
}

/// `wait`: how long the server asks to be left alone.
inline failure world_trouble(std::optional<std::chrono::seconds> wait = {}) {
    auto why = failure::passing(fault::authorization_server_unavailable, "no answer");
    why.retry_after = wait;
    return why;
}
inline failure world_refusal() {
    return failure::permanent(fault::reauth_failed, "the grant is over").with_oauth_error("invalid_grant");
}

inline std::shared_ptr<const rule_set> world_rules(std::vector<rule> first = {}) {
    auto rules = std::make_shared<rule_set>();
    rules->rules = std::move(first);
    for (auto& r : builtin_rules())
        rules->rules.push_back(std::move(r));
    return rules;
}

inline credential_binding world_target(grant_kind grant = grant_kind::authorization_code) {
    credential_binding t;
    t.upstream = "up";
    t.url = "https://mcp.example/mcp";
    t.grant = grant;
    t.supplied = grant == grant_kind::static_token;
    t.rules = world_rules();
    return t;
}

} // namespace reauth::test
