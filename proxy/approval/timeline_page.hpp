// A timeline as a page: drawn here, so that it needs no script.
#pragma once

#include "proxy/evidence/timeline.hpp"

#include <string>

namespace reauth {

std::string render_timeline_page(const std::string& base, const timeline& t);

} // namespace reauth
