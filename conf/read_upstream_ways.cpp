// Keys of an upstream for servers that do it in another way than the specification: where they challenge, how
// a token is sent, over what.
#include "conf/readers.hpp"

#include "conf/values.hpp"
#include "core/text/ascii.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"

#include <algorithm>
#include <array>

namespace reauth {
namespace {

void read_challenges(section& s, upstream_config& u) {
    for (const auto& word : s.texts("challenges", {key_kind::list, {"http", "result"}})) {
        if (word.text == "result")
            u.result_challenges = true;
        else if (word.text != "http")
            s.error("challenges", "holds '" + clean_text(word.text, 60) + "': known are http and result.");
    }
    for (const auto& status : s.texts("treat_as_challenge", {key_kind::numbers, {}, 400, 599})) {
        const auto number = parse_number(status.text, 599);
        if (!number || *number < 400 || *number == 401)
            s.error("treat_as_challenge", "holds '" + clean_text(status.text, 60) +
                                              "': it lists statuses from 400 to 599 (a 401 always is one).");
        else
            u.treat_as_challenge.push_back(static_cast<unsigned>(*number));
    }
}

void read_token_form(section& s, upstream_config& u) {
    s.choice<token_form>("token_type", u.token_type,
                         {{"Bearer", token_form::bearer},
                          {"Basic", token_form::basic},
                          {"Token", token_form::token},
                          {"none", token_form::none}});
    s.text("header", u.token_header);
    const auto lower = ascii_lower(u.token_header);
    if (!is_http_token(u.token_header) || is_own_header(lower))
        s.error("header",
                "must be the name of a header field that neither the proxy nor the client sets, like "
                "X-API-Key.");
    if (u.grant == grant_kind::static_token && !token_to_send(u.token_type, u.token.value.reveal()))
        s.error("token",
                "holds characters that no token has (RFC 6749, appendix A.12): white space or a control "
                "character, perhaps of a second line.");
    if (u.grant == grant_kind::static_token)
        return;
    for (const auto* key : {"token_type", "header"})
        if (s.has(key))
            s.error(key, "is only for grant: static; what a server issues says how it is sent.");
}

void read_callback_path(section& s, upstream_config& u) {
    s.text("callback_path", u.callback_path);
    if (!s.has("callback_path"))
        return;
    if (const auto wrong = wrong_path(u.callback_path); !wrong.empty())
        s.error("callback_path", wrong + ".");
    else if (u.callback_path == "/" || u.callback_path.starts_with("/a/") ||
             u.callback_path.starts_with("/api/") || u.callback_path.starts_with("/assets/"))
        s.error("callback_path", "is a path of the approval page itself.");
}

} // namespace

void read_authorize_params(section& s, upstream_config& out) {
    constexpr std::array<std::string_view, 9> ours{
        "response_type",         "client_id",      "redirect_uri", "scope", "state", "nonce",
        "code_challenge_method", "code_challenge", "resource"};
    for (auto& [name, value] : s.pairs("authorize_params")) {
        if (name.text.empty() || std::find(ours.begin(), ours.end(), name.text) != ours.end())
            s.error(
                "authorize_params",
                "must not set '" + clean_text(name.text, 60) + "': the flow itself does" +
                    (name.text == "scope" || name.text == "resource"
                         ? "; use the key " + std::string(name.text == "scope" ? "scopes" : "resource") + "."
                         : "."));
        else if (name.text == "response_mode" && value != "query")
            s.error("authorize_params",
                    "sets response_mode: '" + clean_text(value, 60) +
                        "': the answer is read from the query alone, so such a login could "
                        "never complete. Leave response_mode out.");
        else if (name.text == "request" || name.text == "request_uri")
            s.error("authorize_params", "must not set '" + name.text +
                                            "': the request is ours; use `par: require` to have it pushed.");
        else
            out.authorize_params.emplace_back(std::move(name.text), std::move(value));
    }
}

void read_upstream_ways(section& s, upstream_config& u) {
    read_authorize_params(s, u);
    read_challenges(s, u);
    read_token_form(s, u);
    read_callback_path(s, u);
    s.choice<par_mode>(
        "par", u.par,
        {{"auto", par_mode::automatic}, {"require", par_mode::require}, {"never", par_mode::never}});
}

} // namespace reauth
