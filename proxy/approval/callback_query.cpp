// Reading of OAuth callback parameters.
#include "proxy/approval/callback_query.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"

namespace reauth {
namespace {

failure refuse(std::string message, std::string fix) {
    return {fault::reauth_failed, std::move(message), std::move(fix), {}, false};
}

} // namespace

result<callback_parameters> parse_callback_query(std::string_view query) {
    callback_parameters p;
    const std::pair<std::string_view, std::optional<std::string>*> known[] = {
        {"code", &p.code},
        {"state", &p.state},
        {"iss", &p.iss},
        {"error", &p.error},
        {"error_description", &p.error_description},
    };
    for (auto& [name, value] : parse_form(query))
        for (const auto& [wanted, target] : known) {
            if (name != wanted)
                continue;
            if (target->has_value())
                return refuse("The answer of the provider holds " + name + " twice, so it is not used.",
                              "Start again from the approval page.");
            *target = std::move(value);
            break;
        }
    return p;
}

result<callback_parameters> parse_pasted_callback(std::string_view text) {
    text = trim_space(text);
    text = text.substr(0, text.find('#'));
    if (const auto mark = text.find('?'); mark != std::string_view::npos)
        text.remove_prefix(mark + 1);
    auto p = parse_callback_query(text);
    if (p && !p->state)
        return refuse("This is not the address the provider sent you back to: it has no state in it.",
                      "Copy the whole address from the address bar, from http to the end.");
    return p;
}

} // namespace reauth
