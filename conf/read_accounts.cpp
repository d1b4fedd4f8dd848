// `accounts`: several credentials at one server, each an upstream of its own.
#include "conf/readers.hpp"

#include "core/text/ascii.hpp"

#include <algorithm>

namespace reauth {
namespace {

bool account_name(std::string_view name) {
    constexpr std::string_view marks = "._-";
    return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [&](char c) {
        return is_ascii_alnum(c) || marks.find(c) != marks.npos;
    });
}

/// The upstream's keys hold where it has none of its own.
void read_account(section& s, upstream_config& u) {
    s.text("login_hint", u.login_hint);
    if (s.has("client"))
        u.client = {};
    read_oauth_client(s.sub("client"), u.client, u.http());
    if (s.has("scopes"))
        u.scopes.reset();
    read_scopes(s, u);
    read_resource(s, u);
    if (s.has("token"))
        u.token = s.secret_value("token", secret_file::read_anew);
    else
        s.secret_value("token", secret_file::read_anew);
    read_login(s, u.login);
    if (s.has("headers")) {
        u.headers.clear();
        u.header_files.clear();
        read_headers(s, u);
    }
    if (s.has("authorize_params"))
        u.authorize_params.clear();
    read_authorize_params(s, u);
    if (u.grant == grant_kind::static_token && u.token.from == secret_source::kind::none)
        s.error("token", "is missing: neither the upstream nor this account has one.");
    else if (u.grant != grant_kind::static_token && s.has("token"))
        s.error("token", "is only for grant: static (the grant is " + std::string(to_string(u.grant)) + ").");
    s.finish();
}

} // namespace

std::vector<upstream_config> read_accounts(section& s, upstream_config base) {
    std::vector<upstream_config> all;
    for (auto& [name, one] : s.named("accounts")) {
        if (!account_name(name))
            one.error("login_hint", "belongs to a badly named account: names have letters, digits and . _ - "
                                    "only, at most 32.");
        auto u = base;
        u.name = base.name + "@" + name;
        u.account = name;
        u.path = (base.path == "/" ? "/" : base.path) + "@" + name;
        if (all.empty())
            u.also_at.push_back(base.path);
        else
            u.listen.reset();
        read_account(one, u);
        all.push_back(std::move(u));
    }
    if (all.empty())
        all.push_back(std::move(base));
    return all;
}

} // namespace reauth
