// Error texts of servers: found, cleaned, redacted.
#include "core/oauth/foreign_text.hpp"

#include "core/json/json_fields.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"

#include <algorithm>
#include <array>

namespace reauth {

namespace {

using json = nlohmann::json;

constexpr std::string_view secret_parameters[] = {
    "code",          "code_verifier", "refresh_token", "client_secret", "client_assertion", "assertion",
    "subject_token", "actor_token",   "token",         "device_code",   "password"};
constexpr std::size_t shortest_piece = 8, most_read = 4096, members_named = 12;

/// How many characters at the front of `text` stand in `whole` as one piece.
std::size_t longest_piece(std::string_view text, std::string_view whole) {
    std::size_t best = 0;
    for (std::size_t at = 0; at < whole.size() && best < text.size(); ++at) {
        std::size_t n = 0;
        while (n < text.size() && at + n < whole.size() && text[n] == whole[at + n])
            ++n;
        best = std::max(best, n);
    }
    return best;
}

std::string member_names(const json& object, bool nested) {
    std::string out;
    std::size_t named = 0;
    for (const auto& [name, value] : object.items()) {
        if (++named > members_named)
            return out + ", …";
        out += (out.empty() ? "" : ", ") + clean_text(name, 40);
        if (nested && value.is_object() && !value.empty())
            out += " (with " + member_names(value, false) + " inside)";
    }
    return out;
}

std::string text_of_page(std::string_view body) {
    const auto lower = ascii_lower(body.substr(0, most_read));
    const auto begin = lower.find("<title>");
    const auto end = lower.find("</title>");
    if (begin == std::string::npos || end == std::string::npos || end < begin + 7)
        return "a web page";
    return "a web page, \"" + std::string(trim_space(body.substr(begin + 7, end - begin - 7))) + "\"";
}

} // namespace

sent_secrets secrets_of(const http_request& request) {
    sent_secrets out;
    const auto add = [&](std::string_view text) {
        if (!text.empty())
            out.emplace_back(std::string(text));
    };
    const auto credentials = request.authorization.reveal();
    const auto space = credentials.find(' ');
    if (space != std::string_view::npos) {
        add(credentials.substr(space + 1));
        const auto pair = base64_decode(credentials.substr(space + 1)).value_or("");
        if (const auto colon = pair.find(':'); colon != std::string::npos) {
            add(pair.substr(colon + 1));
            add(percent_decode(std::string_view(pair).substr(colon + 1), true).value_or(""));
        }
    }
    for (const auto& [name, value] : parse_form(request.body.reveal()))
        if (std::find(std::begin(secret_parameters), std::end(secret_parameters), name) !=
            std::end(secret_parameters))
            add(value);
    return out;
}

std::string without_secrets(std::string_view text, const sent_secrets& secrets) {
    std::string out;
    while (!text.empty()) {
        std::size_t cut = 0;
        for (const auto& s : secrets) {
            const auto piece = longest_piece(text, s.reveal());
            if (piece >= std::min(shortest_piece, std::max<std::size_t>(s.size(), 1)))
                cut = std::max(cut, piece);
        }
        if (cut == 0) {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        if (!out.ends_with("[redacted]"))
            out += "[redacted]";
        text.remove_prefix(cut);
    }
    return out;
}

std::string clean_foreign(std::string_view text, const sent_secrets& secrets, std::size_t cap) {
    // cleaned first: what is invisible between its characters would hide a secret
    const auto cleaned = clean_text(text.substr(0, most_read), most_read);
    return clean_text(without_secrets(cleaned, secrets), cap);
}

std::string error_word(const json& document) {
    if (auto word = json_string(document, "error"); !word.empty())
        return word;
    if (const auto inner = document.find("error"); inner != document.end() && inner->is_object())
        for (const char* name : {"error", "code", "type", "status"})
            if (auto word = json_string(*inner, name); !word.empty())
                return word;
    for (const char* name : {"error_code", "errorCode"})
        if (auto word = json_string(document, name); !word.empty())
            return word;
    return {};
}

std::string error_text(const json& document) {
    constexpr std::array<const char*, 6> names{"error_description", "message", "msg", "detail",
                                               "errorSummary",      "title"};
    for (const char* name : names)
        if (auto text = json_string(document, name); !text.empty())
            return text;
    if (const auto inner = document.find("error"); inner != document.end() && inner->is_object())
        return error_text(*inner);
    return {};
}

std::string words_of(const http_response& answer, const std::optional<json>& document,
                     const sent_secrets& secrets) {
    if (document) {
        auto said = error_text(*document);
        if (const auto word = error_word(*document); !word.empty())
            said = said.empty() ? word : word + ": " + said;
        if (said.empty() && !document->empty())
            said = "with the members " + member_names(*document, true);
        return clean_foreign(said.empty() ? "an empty object" : said, secrets);
    }
    const auto body = trim_space(answer.body);
    if (body.empty())
        return "an empty body";
    if (body.starts_with('<'))
        return clean_foreign(text_of_page(body), secrets);
    // of a success that can't be read the text may be a token
    if (answer.status < 300)
        return "something that is neither JSON nor a form";
    return clean_foreign(body, secrets, 120);
}

} // namespace reauth
