// The pages' own files, compiled in: no build step, nothing fetched from elsewhere. One file each in assets/.
#pragma once

#include <string_view>

namespace reauth {

namespace assets {
// Templates (proxy/approval/html_template.hpp).
extern const std::string_view approval_html, message_html, dashboard_html, open_html;
// Served as they are.
extern const std::string_view style_css, approval_js, dashboard_js, open_js, message_js, icon_svg;
} // namespace assets

/// A file that is served under its path, with its media type.
struct asset {
    std::string_view path, type, text;
};

/// The asset of that path, or null.
const asset* find_asset(std::string_view path) noexcept;

} // namespace reauth
