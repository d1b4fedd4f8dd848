// Words.
#include "proxy/relay/request_watch.hpp"

namespace reauth {

std::string_view outcome_label(request_outcome o) noexcept {
    static constexpr std::string_view by_status[] = {"cut", "1xx", "2xx", "3xx", "4xx", "5xx"};
    return o < outcomes_by_status ? by_status[o] : to_string(static_cast<fault>(o - outcomes_by_status));
}

} // namespace reauth
