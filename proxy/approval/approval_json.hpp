// The API's view of approvals and credentials. Strings from outside are cleaned; secrets have no place here.
#pragma once

#include "proxy/approval/approvals.hpp"

#include <nlohmann/json.hpp>

namespace reauth {

/// One entry of GET /api/approvals. `link` is the capability link; pass an empty one where it is not to be
/// shown.
nlohmann::json approval_json(const approval& a, const std::string& link);

/// Everything that is sent, as lines of text; what is not in them is told at their end.
std::string calls_text(const shown_calls& shown);

/// One entry of GET /api/credentials.
nlohmann::json credential_json(const credential_summary& c);

/// One entry of GET /api/rules: with the YAML that it equals.
nlohmann::json rule_json(const remembered_rule& r);

/// One entry of `idp_sessions` there.
nlohmann::json idp_session_json(const idp_session_summary& s);

/// The answer to approve: where to go, and for a device login also the code and the address to type.
nlohmann::json redirect_json(const approve_answer& answer);
/// `method` of approve, in a form or a JSON body: "device", "browser"; anything else: as configured.
sign_in_method sign_in_method_from(std::string_view word);

/// The answer to logout: {"status":"done","revoked","left":[{"token","issuer","until","because"}],"message"},
/// the message one sentence for a person.
nlohmann::json sign_out_json(const revocation_report& report);

/// The error object of the API: {"error":code,"message","fix"}.
nlohmann::json failure_json(const failure& f);

/// Dumps without throwing on bytes that are not UTF-8.
std::string to_text(const nlohmann::json& j);

} // namespace reauth
