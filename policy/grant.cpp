// The words of the grants.
#include "policy/grant.hpp"

namespace reauth {

std::string_view to_string(grant_kind g) noexcept {
    switch (g) {
    case grant_kind::authorization_code:
        return "authorization_code";
    case grant_kind::client_credentials:
        return "client_credentials";
    case grant_kind::enterprise:
        return "enterprise";
    case grant_kind::jwt_bearer:
        return "jwt_bearer";
    case grant_kind::static_token:
        return "static";
    case grant_kind::idp_session:
        return "idp_session";
    }
    return "authorization_code";
}

} // namespace reauth
