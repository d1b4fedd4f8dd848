// The mark: a way that comes back to where it was interrupted.
#include "proxy/approval/assets.hpp"

namespace reauth::assets {

const std::string_view icon_svg =
    R"~~(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#3d52d5"/><path d="M23.2 12.4A8.2 8.2 0 1 0 24.2 17" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/><path d="M24.4 7.6v5.2h-5.2" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/><circle cx="16" cy="16" r="2.6" fill="#fff"/></svg>
)~~";

} // namespace reauth::assets
