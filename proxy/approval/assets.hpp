// The pages' own files (assets/), compiled in as they are: nothing is fetched from elsewhere. CMakeLists.txt
// embeds every file of that folder under its name.
#pragma once

#include <string_view>

namespace reauth {

/// The text of assets/NAME. A name that is not there throws std::logic_error: a bug of ours.
std::string_view asset_text(std::string_view name);

/// A file that is served under its path, with its media type.
struct asset {
    std::string_view type, text;
};

/// What is served under `/assets/NAME` (and `/favicon.ico`): style sheets, scripts, pictures. `text` is empty
/// where nothing is; templates (.html) are not served.
asset find_asset(std::string_view path) noexcept;

} // namespace reauth
