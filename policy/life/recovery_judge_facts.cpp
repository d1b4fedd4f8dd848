// What a judgement looks at.
#include "policy/life/recovery_judge.hpp"

#include "core/crypto/jose.hpp"
#include "core/json/json_fields.hpp"
#include "core/text/display_text.hpp"

namespace reauth {
namespace {

/// For whom an access token says to be, as far as it can be read.
std::string audience_of(const credential& c) {
    std::string all;
    if (const auto claims = decode_jwt_claims(c.access_token.reveal()))
        for (const auto& one : json_strings(*claims, "aud").value_or(std::vector<std::string>{}))
            all += (all.empty() ? "" : ", ") + clean_text(one);
    return all;
}

std::string first_operation(const std::vector<operation>& operations) {
    for (const auto& o : operations)
        if (!o.method.empty())
            return o.tool.empty() ? o.method : o.method + " " + o.tool;
    return {};
}

} // namespace

final_key recovery_judge::key_of(const waiting_request& r) const {
    const auto& challenge = r.what.challenge;
    return {desk_.whose().principal, desk_.whose().upstream, first_operation(r.what.operations),
            (challenge.scope ? challenge.scope->to_string() : "") +
                (challenge.acr_values.empty() ? "" : " acr " + challenge.acr_values)};
}

recovery_facts recovery_judge::facts_of(const waiting_request& r) const {
    recovery_facts f;
    f.grant = desk_.whose().grant;
    f.reason = reason_for(r.what.challenge.kind).value_or(challenge_reason::unauthorized);
    if (r.what.challenge.scope)
        f.challenged = *r.what.challenge.scope;
    f.configured = desk_.whose().scopes;
    const auto& server = parts_.servers.known();
    if (server && server->scopes_supported)
        f.supported = *server->scopes_supported;
    if (const auto* held = parts_.state.held()) {
        f.held = true;
        // its refresh token may just be spent for the credential that is being stored: that is worth waiting
        // for
        f.refresh_token = parts_.state.refreshable() || parts_.flight.has_brought();
        f.requested = held->requested;
        f.granted = held->granted;
        // obtained for this very request and refused again, in its time: go to the next step
        const bool refused = held->generation == r.what.sent_generation;
        const bool for_it =
            held->generation > r.what.first_generation && !life::has_lived(*held, desk_.now());
        if (refused && (for_it || fresh_refusals_.exhausted(held->generation, desk_.now())))
            f.just_obtained_by = parts_.state.obtained_by();
        if (f.just_obtained_by)
            f.audience = audience_of(*held);
    }
    f.idp_session = parts_.session.usable();
    f.idp_login = parts_.session.may_login();
    f.exchange_login = desk_.whose().exchange_login;
    f.signed_in_anew = r.agreed;
    return f;
}

judgement_facts recovery_judge::situation_of(const waiting_request& r) const {
    const auto now = desk_.now();
    judgement_facts f;
    f.recovery = facts_of(r);
    f.request.upstream = desk_.whose().upstream;
    f.request.principal = desk_.whose().principal;
    f.request.groups = r.what.groups;
    f.request.operations = r.what.operations;
    f.person = r.what.person;
    f.in_session = r.what.in_session;
    f.remembered = remembered_;
    f.notice_only = r.what.notice_only;
    f.agreed = r.agreed;
    f.known_final = finals_.find(key_of(r), now);
    f.silent_failure = r.silent_failure;
    const auto& trouble = parts_.flight.trouble();
    if (!f.silent_failure && !parts_.flight && trouble.holds_at(now) && r.id)
        f.silent_failure = trouble.told_at(now);
    // who waited already when a person said no to the same has had the answer
    f.denied_meanwhile = parts_.approvals.denied_at(plan_recovery(f.recovery).login_scopes) > r.arrived;
    const auto& denials = parts_.approvals.denials();
    f.denied_recently = denials.denied_recently(now);
    if (auto until = denials.quiet_until(now))
        f.quiet_for =
            std::chrono::duration_cast<std::chrono::seconds>(*until - now) + std::chrono::seconds(1);
    return f;
}

} // namespace reauth
