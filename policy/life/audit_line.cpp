// The words of the audit.
#include "policy/life/audit_line.hpp"

#include <iterator>

namespace reauth::life {
namespace {

struct row {
    happening how;
    audit::kind what;
    std::string_view word;
};
constexpr row rows[] = {
    {happening::refresh, audit::kind::recovery, "refresh"},
    {happening::client_credentials, audit::kind::recovery, "client_credentials"},
    {happening::jwt_bearer, audit::kind::recovery, "jwt_bearer"},
    {happening::token_exchange, audit::kind::recovery, "token_exchange"},
    {happening::enterprise_mint, audit::kind::recovery, "enterprise_mint"},
    {happening::static_token, audit::kind::recovery, "static_token"},
    {happening::another_process, audit::kind::recovery, "another process"},
    {happening::discovery, audit::kind::recovery, "discovery"},
    {happening::denied, audit::kind::decision, "denied"},
    {happening::call_approved, audit::kind::decision, "call approved"},
    {happening::policy, audit::kind::decision, "policy"},
    {happening::final_answer, audit::kind::decision, "recovery"},
    {happening::bound_elsewhere, audit::kind::decision, "bound elsewhere"},
    {happening::issuer_changed, audit::kind::decision, "issuer changed"},
    {happening::rule_remembered, audit::kind::decision, "rule remembered"},
    {happening::rule_revoked, audit::kind::decision, "rule revoked"},
    {happening::login, audit::kind::sign_in, "login"},
    {happening::step_up, audit::kind::sign_in, "step_up"},
    {happening::idp_login, audit::kind::sign_in, "idp_login"},
    {happening::device_login, audit::kind::sign_in, "device login"},
    {happening::logout, audit::kind::sign_out, "logout"},
    {happening::logout_elsewhere, audit::kind::sign_out, "logout elsewhere"},
    {happening::identity_ended, audit::kind::sign_out, "identity ended"},
    {happening::look, audit::kind::storage, "look"},
    {happening::store, audit::kind::storage, "store"},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < std::size(rows); ++i)
        if (static_cast<std::size_t>(rows[i].how) != i)
            return false;
    return std::size(rows) == static_cast<std::size_t>(happening::store) + 1;
}
static_assert(in_order(), "a row for each happening, in the order of the enumeration");

} // namespace

std::string_view to_string(happening h) noexcept {
    return rows[static_cast<std::size_t>(h)].word;
}

audit::kind audit::what() const noexcept {
    return rows[static_cast<std::size_t>(how)].what;
}

happening happening_of(recovery_step step) noexcept {
    switch (step) {
    case recovery_step::refresh:
        return happening::refresh;
    case recovery_step::client_credentials:
        return happening::client_credentials;
    case recovery_step::jwt_bearer:
        return happening::jwt_bearer;
    case recovery_step::token_exchange:
        return happening::token_exchange;
    case recovery_step::enterprise_mint:
        return happening::enterprise_mint;
    case recovery_step::static_token:
        return happening::static_token;
    case recovery_step::login:
        return happening::login;
    case recovery_step::idp_login:
        return happening::idp_login;
    }
    return happening::refresh;
}

std::string_view to_string(audit::kind k) noexcept {
    static constexpr std::string_view words[] = {"recovery", "decision", "sign_in", "sign_out", "storage"};
    return words[static_cast<std::size_t>(k)];
}

} // namespace reauth::life
