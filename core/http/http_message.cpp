// Header lookup.
#include "core/http/http_message.hpp"

#include "core/text/ascii.hpp"

namespace reauth {

std::optional<std::string_view> http_response::header(std::string_view name) const {
    for (const auto& field : headers)
        if (iequals(field.name, name))
            return field.value;
    return std::nullopt;
}

} // namespace reauth
