// Which file is served where.
#include "proxy/approval/assets.hpp"

#include "proxy/approval/embedded_file.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace reauth {
namespace {

constexpr std::pair<std::string_view, std::string_view> media_types[] = {
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

const embedded_file* find_embedded(std::string_view name) noexcept {
    const auto all = embedded_files();
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& f) { return f.name == name; });
    return found == all.end() ? nullptr : &*found;
}

} // namespace

std::string_view asset_text(std::string_view name) {
    if (const auto* file = find_embedded(name))
        return file->text;
    throw std::logic_error("there is no asset " + std::string(name));
}

asset find_asset(std::string_view path) noexcept {
    if (path == "/favicon.ico")
        path = "/assets/icon.svg";
    constexpr std::string_view folder = "/assets/";
    if (!path.starts_with(folder))
        return {};
    const auto* file = find_embedded(path.substr(folder.size()));
    for (const auto& [suffix, type] : media_types)
        if (file && file->name.ends_with(suffix))
            return {type, file->text};
    return {};
}

} // namespace reauth
