// Which asset is served where.
#include "proxy/approval/assets.hpp"

namespace reauth {

const asset* find_asset(std::string_view path) noexcept {
    static const asset all[] = {
        {"/assets/style.css", "text/css; charset=utf-8", assets::style_css},
        {"/assets/approval.js", "text/javascript; charset=utf-8", assets::approval_js},
        {"/assets/dashboard.js", "text/javascript; charset=utf-8", assets::dashboard_js},
        {"/assets/open.js", "text/javascript; charset=utf-8", assets::open_js},
        {"/assets/message.js", "text/javascript; charset=utf-8", assets::message_js},
        {"/assets/icon.svg", "image/svg+xml", assets::icon_svg},
        {"/favicon.ico", "image/svg+xml", assets::icon_svg},
    };
    for (const auto& a : all)
        if (a.path == path)
            return &a;
    return nullptr;
}

} // namespace reauth
