// One path for all dark modules.
#include "proxy/approval/qr_code.hpp"

#include "core/text/display_text.hpp"

#include <qrencode.h>

#include <memory>

namespace reauth {

std::string qr_svg(std::string_view text, std::string_view label) {
    const std::string copy(text);
    const std::unique_ptr<QRcode, void (*)(QRcode*)> code(
        QRcode_encodeString8bit(copy.c_str(), 0, QR_ECLEVEL_M), QRcode_free);
    if (!code)
        return {};
    constexpr int quiet = 4; // modules of margin that readers need
    const int width = code->width, whole = width + 2 * quiet;
    std::string path;
    for (int y = 0; y < width; ++y)
        for (int x = 0; x < width; ++x)
            if (code->data[y * width + x] & 1)
                path += "M" + std::to_string(x + quiet) + " " + std::to_string(y + quiet) + "h1v1h-1z";
    const auto side = std::to_string(whole);
    return "<svg class=\"qr\" role=\"img\" aria-label=\"" + html_escape(label) + "\" viewBox=\"0 0 " + side +
           " " + side + "\" shape-rendering=\"crispEdges\"><rect width=\"" + side + "\" height=\"" + side +
           "\" fill=\"#fff\"/><path fill=\"#000\" d=\"" + path + "\"/></svg>";
}

} // namespace reauth
