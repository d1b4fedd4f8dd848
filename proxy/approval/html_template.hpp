// A template of HTML with holes. Filling a hole escapes: forgetting to is not possible.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace reauth {

/// HTML that is safe to insert as it is, because it was made by fill() or written in our source.
struct safe_html {
    std::string text;
};

/// What goes into the holes. Strings are cleaned and escaped (core/text/display_text.hpp) as they go in.
class template_values {
public:
    template_values& text(std::string name, std::string_view value, std::size_t cap = 200);
    template_values& html(std::string name, safe_html value);
    const std::string* find(std::string_view name) const;

private:
    std::map<std::string, std::string, std::less<>> values_;
};

/// Replaces each {{name}}. A name without a value throws std::logic_error: the template and the code
/// disagree.
safe_html fill(std::string_view pattern, const template_values& values);

} // namespace reauth
