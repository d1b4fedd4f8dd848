// The frame that every page shares: head, brand, skip link.
#pragma once

#include "proxy/approval/html_template.hpp"

#include <string>
#include <string_view>

namespace reauth {

/// What differs from page to page.
struct page_frame {
    std::string_view content; ///< the asset with the page's own part, e.g. "message.html"
    std::string_view script;  ///< the asset that makes it live, e.g. "message.js"
    std::string_view title;
    safe_html pill;    ///< beside the brand; may be empty
    bool wide = false; ///< uses the width of a screen rather than that of a text
};

/// The whole page; `base` is the path that the listener is reached under, `values` fill the content.
std::string render_page(const std::string& base, const page_frame& frame, template_values values);

} // namespace reauth
