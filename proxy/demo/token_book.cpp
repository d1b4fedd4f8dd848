// What an authorization server remembers: clients, codes, access tokens, and families of rotating refresh
// tokens.
#include "proxy/demo/token_book.hpp"

#include "proxy/demo/tools.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace reauth {

bool demo_client::may(std::string_view grant) const {
    return std::find(grant_types.begin(), grant_types.end(), grant) != grant_types.end();
}

bool demo_client::allows_redirect(std::string_view uri) const {
    const auto asked = boost::urls::parse_uri(uri);
    if (!asked)
        return false;
    return std::any_of(redirect_uris.begin(), redirect_uris.end(), [&](const std::string& known) {
        if (known == uri)
            return true;
        const auto registered = boost::urls::parse_uri(known);
        return registered && registered->host() == "127.0.0.1" && asked->host() == "127.0.0.1" &&
               registered->scheme() == asked->scheme() &&
               registered->encoded_target() == asked->encoded_target() && !asked->has_userinfo();
    });
}

std::string demo_token_book::open_family(demo_authority authority) {
    std::string id = demo_random(12);
    families_[id].authority = std::move(authority);
    return id;
}

demo_authority demo_token_book::authority_of(const std::string& family) const {
    return families_.at(family).authority;
}

std::string demo_token_book::issue_access(const std::string& family, scope_set scopes,
                                          time_point expires_at) {
    std::string token = "demo-at-" + demo_random();
    access_[token] = {family, std::move(scopes), expires_at};
    return token;
}

std::string demo_token_book::issue_refresh(const std::string& family) {
    std::string token = "demo-rt-" + demo_random();
    refresh_[token] = {family, false};
    return token;
}

std::string demo_token_book::issue_code(demo_code code) {
    std::string value = "demo-code-" + demo_random();
    codes_[value] = std::move(code);
    return value;
}

std::optional<demo_code> demo_token_book::take_code(const std::string& code) {
    auto node = codes_.extract(code);
    if (node.empty())
        return std::nullopt;
    return std::move(node.mapped());
}

demo_token_book::refresh_use demo_token_book::use_refresh(const std::string& token,
                                                          const std::string& client_id, bool rotate) {
    refresh_use use;
    const auto found = refresh_.find(token);
    if (found == refresh_.end())
        return use;
    sign_in& owner = families_[found->second.family];
    if (owner.authority.client_id != client_id)
        return use;
    if (found->second.spent) {
        use.reused = true;
        owner.dead = true;
        return use;
    }
    if (owner.dead)
        return use;
    found->second.spent = rotate;
    use.valid = true;
    use.family = found->second.family;
    use.authority = owner.authority;
    return use;
}

demo_token_state demo_token_book::inspect(std::string_view access_token, time_point now) const {
    demo_token_state state;
    const auto found = access_.find(access_token);
    if (found == access_.end() || found->second.expires_at <= now)
        return state;
    const auto owner = families_.find(found->second.family);
    if (owner == families_.end() || owner->second.dead)
        return state;
    state.active = true;
    state.authority = owner->second.authority;
    state.authority.scopes = found->second.scopes;
    state.expires_at = found->second.expires_at;
    return state;
}

bool demo_token_book::revoke(const std::string& token, const std::string& client_id) {
    const auto owned = [&](const std::string& family) {
        return families_[family].authority.client_id == client_id;
    };
    if (const auto held = refresh_.find(token); held != refresh_.end() && owned(held->second.family)) {
        families_[held->second.family].dead = true;
        return true;
    }
    if (const auto held = access_.find(token); held != access_.end() && owned(held->second.family)) {
        access_.erase(held);
        return true;
    }
    return false;
}

void demo_token_book::kill_access_tokens() {
    access_.clear();
}

void demo_token_book::kill_families() {
    for (auto& [id, family] : families_)
        family.dead = true;
}

} // namespace reauth
