// Written field by field.
#include "proxy/net/service_head.hpp"

#include "core/http/http_date.hpp"
#include "core/http/http_field.hpp"
#include "core/http/status.hpp"

#include <stdexcept>

namespace reauth {

std::string format_response_head(unsigned status, const std::vector<header_field>& headers) {
    std::string out =
        "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n";
    out += "Date: " + format_http_date(wall_clock::now()) + "\r\n";
    for (const auto& h : headers) {
        if (!valid_token(h.name) || h.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            throw std::invalid_argument("response header " + h.name + " cannot be sent");
        out += h.name + ": " + h.value + "\r\n";
    }
    return out + "\r\n";
}

} // namespace reauth
