// Which authorization server it is: looked up, known from the credential in force, stored with the next one.
#include "policy/life/credential_life.hpp"

#include "core/text/uri.hpp"

namespace reauth {

void credential_life::start_discovery(const std::string& resource_metadata) {
    discovery_ = next_++;
    works_[discovery_] = work_kind::discovery;
    discovering_from_ = resource_metadata.empty() ? discovered_from_ : resource_metadata;
    emit(life::discover{discovery_, discovering_from_, pinned_issuer_});
}

/// Whether the authorization server has to be looked up first; then r waits for that.
bool credential_life::needs_discovery(held_request& r) {
    if (target_.supplied || target_.grant == grant_kind::static_token)
        return false;
    const auto& asked = r.what.challenge.resource_metadata;
    // a refresh needs no discovery: the server is known by what it issued
    const bool renewing = r.what.notice_only && refreshable() && held_->value.found != nullptr;
    const bool fresh = server_ && (renewing || now_ < discovered_at_ + metadata_lifetime);
    // the same challenge, or none at all (our own notice of expiry), tells nothing new
    if (r.discovered || (fresh && (asked.empty() || asked == discovered_from_)))
        return false;
    if (!discovery_ && metadata_trouble_.holds_at(now_)) { // it has named a time (RFC 9110 §10.2.3)
        if (server_)
            return false;
        fail(r, metadata_trouble_.told_at(now_));
        return true;
    }
    if (!discovery_)
        start_discovery(asked);
    r.on = waits::discovery;
    r.work = discovery_;
    return true;
}

void credential_life::handle(const life::discovered& e) {
    if (!works_.erase(e.work) || discovery_ != e.work)
        return;
    discovery_ = 0;
    metadata_trouble_ = {};
    if (!e.found && e.found.error().transient && e.found.error().retry_after) {
        metadata_trouble_.last = e.found.error();
        metadata_trouble_.retry_at = now_ + *e.found.error().retry_after;
    }
    if (e.found) {
        server_ = std::make_shared<const discovered_server>(*e.found);
        discovered_at_ = now_;
        discovered_from_ = discovering_from_;
        if (held_ && !held_->value.issuer.empty() && held_->value.issuer != server_->issuer()) {
            // tokens of the old issuer are not used any more (SEP-2352)
            held_->refresh_dead = true;
            report(life::audit::kind::decision, "issuer changed", nullptr, {},
                   "from " + held_->value.issuer + " to " + server_->issuer());
        }
    } else {
        const auto why = e.found.error();
        report(life::audit::kind::recovery, "discovery", &why);
    }
    // what was known stays in force through trouble that passes
    const bool go_on = e.found || (server_ && e.found.error().transient);
    if (!go_on)
        for (auto& [id, q] : questions_)
            if (q.phase == question_phase::minting && !server_) {
                q.phase = question_phase::pending;
                answer_starters(q, result<approve_answer>(e.found.error()));
            }
    std::vector<std::uint64_t> waiting;
    for (const auto& r : requests_)
        if (r.on == waits::discovery && r.work == e.work)
            waiting.push_back(r.arrived);
    for (auto arrived : waiting) {
        auto& r = *find_request(arrived);
        r.on = waits::nothing;
        r.discovered = true;
        if (!go_on)
            fail(r, e.found.error());
    }
}

/// Where it was obtained is stored with it: a refresh needs no discovery, not even after a restart.
void credential_life::remember_server(credential& fresh, const life::server_ptr& by_flow) {
    if (target_.grant == grant_kind::idp_session)
        return;
    if (held_ && held_->value.issuer == fresh.issuer && !fresh.refresh_with_scope)
        fresh.refresh_with_scope = held_->value.refresh_with_scope;
    const bool moved = fresh.found && held_ && fresh.found != held_->value.found;
    if (moved) { // the flow has found it anew
        server_ = std::make_shared<const discovered_server>(from_known(*fresh.found, fresh.resource));
        return;
    }
    const auto& from = server_ && server_->issuer() == fresh.issuer ? server_ : by_flow;
    if (from && from->issuer() == fresh.issuer)
        fresh.found = std::make_shared<const known_server>(to_known(*from));
}

/// What is known of the server from the credential in force, unless the configuration says otherwise.
void credential_life::recall_server() {
    if (server_ || !held_ || !held_->value.found || target_.grant == grant_kind::idp_session)
        return;
    const auto& known = *held_->value.found;
    const bool theirs = known.server.issuer == held_->value.issuer;
    const bool as_configured = target_.issuer.empty() || target_.issuer == known.server.issuer;
    if (!theirs || !as_configured || target_.server != configured_server_settings())
        return;
    server_ = std::make_shared<const discovered_server>(from_known(known, held_->value.resource));
    discovered_at_ = now_;
    discovered_from_ = known.resource_metadata;
}

/// Where a person will be sent, and what was approved before, as far as it is known and another now.
void credential_life::note_servers(approval& a) const {
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
    a.issuer_before = differing(pinned_issuer_, a.issuer);
    if (!held_ || !held_->value.found)
        return;
    const auto& was = held_->value.found->server;
    a.login_host_before = differing(authority_of(was.authorization_endpoint), a.login_host);
    a.token_host_before = differing(authority_of(was.token_endpoint), a.token_host);
}

} // namespace reauth
