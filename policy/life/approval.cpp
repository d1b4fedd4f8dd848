// The words of an approval.
#include "policy/life/approval.hpp"

namespace reauth {

std::string_view to_string(approval_kind k) noexcept {
    switch (k) {
    case approval_kind::login:
        return "login";
    case approval_kind::step_up:
        return "step_up";
    case approval_kind::idp_login:
        return "idp_login";
    case approval_kind::call:
        return "call";
    }
    return "login";
}

std::string_view to_string(approval_status s) noexcept {
    switch (s) {
    case approval_status::pending:
        return "pending";
    case approval_status::authorizing:
        return "authorizing";
    case approval_status::approved:
        return "approved";
    case approval_status::denied:
        return "denied";
    case approval_status::expired:
        return "expired";
    case approval_status::failed:
        return "failed";
    case approval_status::superseded:
        return "superseded";
    case approval_status::signed_out:
        return "signed_out";
    }
    return "failed";
}

bool decided(approval_status s) noexcept {
    return s != approval_status::pending && s != approval_status::authorizing;
}

} // namespace reauth
