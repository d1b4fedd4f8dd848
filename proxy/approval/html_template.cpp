// Filling of HTML templates.
#include "proxy/approval/html_template.hpp"

#include "core/text/display_text.hpp"

#include <stdexcept>

namespace reauth {

template_values& template_values::text(std::string name, std::string_view value, std::size_t cap) {
    values_[std::move(name)] = html_escape(clean_text(value, cap));
    return *this;
}

template_values& template_values::html(std::string name, safe_html value) {
    values_[std::move(name)] = std::move(value.text);
    return *this;
}

const std::string* template_values::find(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
}

safe_html fill(std::string_view pattern, const template_values& values) {
    std::string out;
    while (true) {
        const auto open = pattern.find("{{");
        out += pattern.substr(0, open);
        if (open == std::string_view::npos)
            return {std::move(out)};
        pattern.remove_prefix(open + 2);
        const auto close = pattern.find("}}");
        const auto name = pattern.substr(0, close);
        const auto* value = close == std::string_view::npos ? nullptr : values.find(name);
        if (!value)
            throw std::logic_error("template has no value for " + std::string(name.substr(0, 40)));
        out += *value; // not scanned again: a value that holds {{…}} stays text
        pattern.remove_prefix(close + 2);
    }
}

} // namespace reauth
