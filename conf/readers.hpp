// The readers of the configuration's parts. Each fills what is given and reports what is wrong.
#pragma once

#include "conf/section.hpp"

#include <string>

namespace reauth {

/// Everything of the top level, by the readers below.
void read_config(section top, reading& r, config& out);

void read_client_auth(section& top, reading& r, config& out);
void read_approval(section s, approval_config& out);
void read_vault(section s, vault_config& out);
void read_limits(section s, limits_config& out);
void read_log(section s, log_config& out);
// read_evidence.cpp
void read_recorder(section s, recorder_config& out);
void read_audit(section s, audit_config& out);
void read_trace(section s, trace_config& out);
std::optional<tls_server_config> read_server_tls(section s);
/// `issuer`: a URL without a query.
void read_issuer(section& s, std::string& out, plain_http http = plain_http::on_loopback);
void read_client_tls(section s, tls_client_config& out);
// read_client.cpp: what an upstream, its accounts and identity providers have in common
void read_oauth_client(section s, oauth_client_config& out, plain_http http = plain_http::on_loopback);
void read_login(section& s, login_kind& out);
void read_headers(section& s, upstream_config& out);
void read_resource(section& s, upstream_config& out);
void read_scopes(section& s, upstream_config& u);
void read_authorize_params(section& s, upstream_config& out);
identity_provider_config read_identity_provider(section s, const std::string& name);
/// What is for servers that go their own way (read_upstream_ways.cpp); after the grant is known.
void read_upstream_ways(section& s, upstream_config& u);
/// `approval.sign_in` (read_identity.cpp).
std::optional<page_sign_in_config> read_sign_in(section s);
/// `logout` and `signals` of an identity provider.
void read_provider_signals(section& s, identity_provider_config& p);
/// What follows of the rest: whose names people have, whose events count.
void complete_identity(config& c);
/// `accounts`: an upstream for each, or `base` itself where there are none.
std::vector<upstream_config> read_accounts(section& s, upstream_config base);
/// `subject`, `exchange` and `fallback` (read_exchange.cpp); after grant and client are known.
void read_exchange(section& s, upstream_config& u, const config& c);
/// What they need of the rest.
void check_exchange(const config& c, const upstream_config& u, reading& r);
/// `c`: what was read before: who calls. One for each of its accounts.
std::vector<upstream_config> read_upstream(section s, reading& r, const std::string& name, const config& c);
/// The rules of `policy:` in order, without the built-in ones. `file` is what `where` begins with.
std::vector<rule> read_policy(section& top, reading& r, const std::string& file);

/// What only shows when all is read: listeners, references, uniqueness, what must not be open to others.
void check_config(const config& c, reading& r);

/// The prefix under which an upstream is found: starts with '/', plain segments, no trailing '/'. A clause
/// that says what is wrong, or empty.
std::string wrong_path(std::string_view path);

} // namespace reauth
