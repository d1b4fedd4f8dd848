// The words of the grants.
#include "policy/rules/grant.hpp"

namespace reauth {

std::string_view to_string(grant_kind g) noexcept {
    for (const auto& [word, grant] : grant_words)
        if (grant == g)
            return word;
    return "idp_session";
}

} // namespace reauth
