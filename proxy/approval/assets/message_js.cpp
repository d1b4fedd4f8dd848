// A message page in a tab that holds the operator token offers the way back to the dashboard.
#include "proxy/approval/assets.hpp"

namespace reauth::assets {

const std::string_view message_js = R"~~("use strict";
if (sessionStorage.getItem("mcp-reauth-token")) document.getElementById("back").hidden = false;
)~~";

} // namespace reauth::assets
