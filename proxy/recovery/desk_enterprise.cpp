// Enterprise-managed authorization: one IdP session serves every upstream of the organisation.
#include "proxy/recovery/desk.hpp"

namespace reauth {

task<result<approve_answer>> recovery_desk::start_idp_login(account& a, std::string, bool) {
    co_return failure{fault::invalid_configuration,
                      "upstream " + a.upstream + ": grant enterprise is not available in this build", "", "",
                      false};
}

task<callback_outcome> recovery_desk::finish_idp_callback(pending_authorization, authorization_callback,
                                                          std::optional<std::string>,
                                                          callback_outcome outcome) {
    co_return outcome;
}

} // namespace reauth
