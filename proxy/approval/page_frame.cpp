// Puts a page's own part into the frame.
#include "proxy/approval/page_frame.hpp"

#include "proxy/approval/assets.hpp"

namespace reauth {

std::string render_page(const std::string& base, const page_frame& frame, template_values values) {
    values.text("base", base);
    template_values around;
    around.text("base", base).text("title", frame.title).text("script", frame.script);
    around.html("pill", frame.pill).text("width", frame.wide ? "wide" : "narrow");
    around.html("content", fill(asset_text(frame.content), values));
    return fill(asset_text("frame.html"), around).text;
}

} // namespace reauth
