// The words of the approval page: what an approval asks, as HTML that works without JavaScript. Pure.
#pragma once

#include "proxy/approval/approvals.hpp"
#include "proxy/approval/html_template.hpp"

#include <string>
#include <vector>

namespace reauth {

/// Where the page stands.
struct page_place {
    std::string base; ///< path prefix of the listener, mostly empty
    std::string self; ///< path of this page: /a/{secret}
    time_point now{};
    std::string notice;            ///< what the last click led to; may be empty
    bool somebody_waits = true;    ///< a request is held for it
    bool may_complete = false;     ///< whoever looks may approve what passes through no login
    std::string signed_in_as = {}; ///< to this page; empty: nobody
    bool for_another = false;      ///< whoever looks is an operator, and it concerns somebody else
};

/// The whole page.
std::string render_approval_page(const approval& a, const page_place& place);

/// A page that says one thing. `tone`: good, bad or empty. `hint` may be empty.
std::string render_message_page(const std::string& base, std::string_view tone, std::string_view title,
                                std::string_view detail, std::string_view hint, bool warns = false);

/// Sentences that belong before the button: where login host and token host differ from each other, or from
/// what was approved before. A provider on another host than the server is the ordinary case.
std::vector<std::string> host_warnings(const approval& a);

/// Origins for form-action: where a form may lead after we redirect. Only well-formed http(s) origins.
std::string form_targets(const approval& a);

/// The origin of an http(s) URL, for a header that is a small language of its own: nothing but host
/// characters passes. Empty: it is none.
std::string safe_origin(std::string_view text);

/// "host" or "host:port", fit to show (core/text/display_text.hpp).
std::string shown_host(std::string_view authority);

/// The dashboard, which its script fills from the API; and where a one-time link lands.
std::string render_dashboard_page(const std::string& base, bool people_sign_in = false);
std::string render_open_page(const std::string& base);

} // namespace reauth
