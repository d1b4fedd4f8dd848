// Text for man pages.
#pragma once

#include <string>
#include <string_view>

namespace reauth {

/// The text for man: what roff would read as a command is plain, code in Markdown's marks is bold.
std::string roff(std::string_view text);

} // namespace reauth
