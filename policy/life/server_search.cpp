// Looked up when it is not known, when a challenge names another place, and when what is known is old.
#include "policy/life/server_search.hpp"

#include "core/text/uri.hpp"

namespace reauth {

const std::string& server_search::issuer() const noexcept {
    return server_ ? server_->issuer() : state_.vault().pinned_issuer();
}

server_search::lookup server_search::lookup_for(const life::refusal& what, bool looked) const {
    const auto& whose = desk_.whose();
    if (whose.supplied || whose.grant == grant_kind::static_token)
        return lookup::not_needed;
    const auto& asked = what.challenge.resource_metadata;
    // a refresh needs no discovery: the server is known by what it issued
    const bool renewing = what.notice_only && state_.refreshable() && state_.held()->found != nullptr;
    const bool fresh = server_ && (renewing || desk_.now() < since_ + lifetime);
    // the same challenge, or none at all (our own notice of expiry), tells nothing new
    if (looked || (fresh && (asked.empty() || asked == found_at_)))
        return lookup::not_needed;
    if (!work_ && trouble_.holds_at(desk_.now()))
        return server_ ? lookup::not_needed : lookup::not_before;
    return lookup::needed;
}

void server_search::look_up(const std::string& resource_metadata) {
    work_ = desk_.number();
    looking_at_ = resource_metadata.empty() ? found_at_ : resource_metadata;
    desk_.emit(life::discover{work_, looking_at_, state_.vault().pinned_issuer()});
}

bool server_search::known_for(const approval_record& record) {
    const auto& whose = desk_.whose();
    if (server_ || whose.supplied || whose.grant == grant_kind::static_token)
        return true;
    if (!work_)
        look_up(record.resource_metadata);
    return false;
}

void server_search::challenged(const parsed_challenge& challenge) noexcept {
    if (challenge.bearer || challenge.dpop)
        schemes_ = {challenge.dpop, challenge.bearer};
}

std::optional<bool> server_search::ended(const life::discovered& e) {
    if (!work_ || work_ != e.work)
        return std::nullopt;
    work_ = 0;
    trouble_ = {};
    if (!e.found) {
        const auto why = e.found.error();
        if (why.transient && why.retry_after) {
            trouble_.last = why;
            trouble_.retry_at = desk_.now() + *why.retry_after;
        }
        state_.report({life::happening::discovery, {}, {}, {}, {}, {}, why});
        // what was known stays in force through trouble that passes
        return server_ && why.transient;
    }
    server_ = std::make_shared<const discovered_server>(*e.found);
    since_ = desk_.now();
    found_at_ = looking_at_;
    const auto* held = state_.held();
    if (held && !held->issuer.empty() && held->issuer != server_->issuer()) {
        state_.end_refresh(); // tokens of the old issuer are not used any more (SEP-2352)
        life::audit line;
        line.how = life::happening::issuer_changed;
        line.detail = "from " + held->issuer + " to " + server_->issuer();
        state_.report(std::move(line));
    }
    return true;
}

void server_search::found_by_sign_in(life::server_ptr server, const std::string& found_at) {
    if (server_ || !server)
        return;
    server_ = std::move(server);
    since_ = desk_.now();
    found_at_ = found_at;
}

void server_search::remember_with(credential& fresh, const life::server_ptr& by_flow) {
    if (desk_.whose().session())
        return;
    const auto* held = state_.held();
    if (held && held->issuer == fresh.issuer && !fresh.refresh_with_scope)
        fresh.refresh_with_scope = held->refresh_with_scope;
    const bool moved = fresh.found && held && fresh.found != held->found;
    if (moved) { // the flow has found it anew
        server_ = std::make_shared<const discovered_server>(from_known(*fresh.found, fresh.resource));
        return;
    }
    const auto& from = server_ && server_->issuer() == fresh.issuer ? server_ : by_flow;
    if (from && from->issuer() == fresh.issuer)
        fresh.found = std::make_shared<const known_server>(to_known(*from));
}

void server_search::recall() {
    const auto* held = state_.held();
    const auto& whose = desk_.whose();
    if (server_ || !held || !held->found || whose.session())
        return;
    const auto& stored = *held->found;
    const bool theirs = stored.server.issuer == held->issuer;
    const bool as_configured = whose.issuer.empty() || whose.issuer == stored.server.issuer;
    if (!theirs || !as_configured || whose.server != configured_server_settings())
        return;
    server_ = std::make_shared<const discovered_server>(from_known(stored, held->resource));
    since_ = desk_.now();
    found_at_ = stored.resource_metadata;
}

void server_search::forget() noexcept {
    work_ = 0;
    server_.reset();
    since_ = {};
    found_at_.clear();
}

void server_search::reconfigured() noexcept {
    server_.reset(); // it is looked for as the configuration has it now
    since_ = {};
}

void server_search::describe(approval& a) const {
    if (!server_)
        return;
    const auto& server = server_->server;
    a.issuer = server.issuer;
    a.login_host = authority_of(server.authorization_endpoint);
    a.token_host = authority_of(server.token_endpoint);
    a.device_offered = !server.device_authorization_endpoint.empty();
    const auto differing = [](const std::string& before, const std::string& now) {
        return !before.empty() && !now.empty() && before != now ? before : std::string();
    };
    a.issuer_before = differing(state_.vault().pinned_issuer(), a.issuer);
    const auto* held = state_.held();
    if (!held || !held->found)
        return;
    const auto& was = held->found->server;
    a.login_host_before = differing(authority_of(was.authorization_endpoint), a.login_host);
    a.token_host_before = differing(authority_of(was.token_endpoint), a.token_host);
}

} // namespace reauth
