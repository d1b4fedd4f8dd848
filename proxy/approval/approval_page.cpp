// The approval page, from an approval to HTML.
#include "proxy/approval/approval_page.hpp"

#include "core/text/time_text.hpp"
#include "proxy/approval/approval_json.hpp"
#include "proxy/approval/approval_words.hpp"
#include "proxy/approval/page_frame.hpp"
#include "proxy/approval/qr_code.hpp"

#include <algorithm>

namespace reauth {
namespace {

safe_html piece(std::string_view pattern, const template_values& v) {
    return fill(pattern, v);
}

void append(safe_html& to, const safe_html& more) {
    to.text += more.text;
}

safe_html chips(const scope_set& scopes, std::string_view none, bool fresh) {
    if (scopes.empty())
        return piece("<p class=\"none\">{{none}}</p>", template_values().text("none", none));
    safe_html items;
    for (const auto& s : scopes)
        append(items, piece("<li>{{s}}</li>", template_values().text("s", s)));
    return piece(fresh ? "<ul class=\"chips new\">{{items}}</ul>" : "<ul class=\"chips\">{{items}}</ul>",
                 template_values().html("items", items));
}

safe_html scope_columns(const approval& a) {
    if (a.kind == approval_kind::call)
        return {};
    // For a step-up what is added matters; for a login all of it is new unless it was granted before.
    const auto fresh = a.added.empty() ? a.requested.without(a.granted) : a.added;
    return piece(
        "<section aria-labelledby=\"scopes\"><h2 id=\"scopes\">Permissions (scopes)</h2><div "
        "class=\"columns\">"
        "<div><h3>{{before}}</h3>{{granted}}</div><div><h3>{{asked}}</h3>{{fresh}}</div></div></section>",
        template_values()
            .text("before", decided(a.status) ? "Granted before" : "Already granted")
            .text("asked", decided(a.status) ? "Was requested" : "Newly requested")
            .html("granted", chips(a.granted, "None yet.", false))
            .html("fresh",
                  chips(fresh,
                        a.requested.empty() ? "The server names none: the provider shows what it grants."
                                            : "Nothing beyond what is granted.",
                        true)));
}

safe_html route(const approval& a) {
    safe_html hops;
    const auto hop = [&](std::string_view what, const std::string& value, bool odd) {
        if (!value.empty())
            append(hops, piece(odd ? "<li><span>{{what}}</span><b class=\"odd\">{{value}}</b></li>"
                                   : "<li><span>{{what}}</span><b>{{value}}</b></li>",
                               template_values().text("what", what).text("value", value)));
    };
    const auto up = shown_host(a.upstream_host), in = shown_host(a.login_host),
               token = shown_host(a.token_host);
    hop("Requests go to", up, false);
    const bool decided_already = decided(a.status);
    hop("You sign in at", in, !decided_already && !a.login_host_before.empty());
    hop("Access is issued by", token,
        !decided_already && ((token != in && !in.empty()) || !a.token_host_before.empty()));
    hop("Issuer", a.issuer, !decided_already && !a.issuer_before.empty());
    if (hops.text.empty())
        return {};
    return piece("<section class=\"route\" aria-labelledby=\"route\"><h2 id=\"route\">Where this goes</h2>"
                 "<ul class=\"hops\">{{hops}}</ul></section>",
                 template_values().html("hops", hops));
}

safe_html warning(const approval& a) {
    const auto all = host_warnings(a);
    if (all.empty())
        return {};
    safe_html items;
    for (const auto& w : all)
        append(items, piece("<li>{{w}}</li>", template_values().text("w", w, 400)));
    return piece("<div class=\"note warn\" role=\"note\"><strong>Look twice before you go "
                 "on</strong><ul>{{items}}</ul></div>",
                 template_values().html("items", items));
}

/// Text that was made visible already (core/mcp/shown_call.hpp), with every space of it.
safe_html as_it_is(const std::string& text) {
    return text.empty() ? safe_html{} : safe_html{"<pre tabindex=\"0\">" + html_escape(text) + "</pre>"};
}

/// All that would be sent: nothing that a yes is bound to is left out, or it is told.
safe_html sent_calls(const approval& a) {
    const auto& all = a.calls.calls;
    safe_html out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& c = all[i];
        template_values v;
        v.html("what", {html_escape(c.method.empty() ? "a response"
                                                     : c.method + (c.tool.empty() ? "" : " " + c.tool))});
        v.text("number", std::to_string(i + 1) + " of " + std::to_string(all.size()));
        if (all.size() > 1)
            append(out, piece("<h3>{{number}}: <code>{{what}}</code></h3>", v));
        append(out, as_it_is(c.arguments));
        if (!c.also.empty())
            append(out, piece("<h3>Also in this message</h3>", v));
        append(out, as_it_is(c.also));
    }
    return out;
}

safe_html not_shown(const approval& a) {
    if (a.calls.hidden == 0)
        return {};
    return piece(
        "<div class=\"note warn\" role=\"note\"><strong>Not shown: {{n}} bytes of this call</strong><p>It "
        "is larger than a page can show. Who approves it has to say that this is known: a tick on the "
        "dashboard, <code>--unseen</code> on the command line.</p></div>",
        template_values().text("n", std::to_string(a.calls.hidden)));
}

/// Exactly what would be sent; of a request that was sent already, on request.
safe_html arguments(const approval& a) {
    template_values v;
    if (a.kind == approval_kind::call) {
        v.html("calls", sent_calls(a))
            .text("title", a.calls.calls.size() > 1 ? "All that is sent" : "Arguments");
        return piece(
            "<section class=\"calls\" aria-labelledby=\"arguments\"><h2 id=\"arguments\">{{title}}</h2>"
            "{{calls}}</section>",
            v);
    }
    if (a.arguments.empty())
        return {};
    v.html("lines", as_it_is(a.arguments));
    return piece("<details><summary>Show the arguments of the call</summary>{{lines}}</details>", v);
}

safe_html operator_hint(const approval& a) {
    return piece("<div class=\"note\"><strong>This link alone is not enough</strong><p>Approving this passes "
                 "through no "
                 "sign-in page, so it needs the operator: run <code>mcp-reauth approve {{id}}</code> in a "
                 "terminal, or "
                 "open the dashboard with <code>mcp-reauth open</code>. You may deny it here.</p></div>",
                 template_values().text("id", a.id));
}

/// Where the person goes with which code, by hand or by camera.
safe_html device_code(const approval& a) {
    template_values v;
    v.text("uri", a.verification_uri, 300).text("code", a.user_code).text("location", a.location, 2000);
    v.html("qr", {qr_svg(a.location, "QR code of the address above")});
    return piece("<section class=\"device\" aria-labelledby=\"device\"><div><h2 id=\"device\">Sign in on any "
                 "device</h2><p>Open <b class=\"address\">{{uri}}</b> and enter</p>"
                 "<p class=\"code\"><code>{{code}}</code></p>"
                 "<p>or scan the code. This page goes on by itself.</p>"
                 "<p><a class=\"button quiet\" href=\"{{location}}\" rel=\"noopener noreferrer\" "
                 "target=\"_blank\">Open it here</a></p></div>{{qr}}</section>",
                 v);
}

/// A second button: the same by the other way.
safe_html other_way(const approval& a, const page_place& place) {
    if (a.completes_without_login || !a.device_offered)
        return {};
    const bool device = !a.user_code.empty();
    template_values v;
    v.text("self", place.self, 400).text("method", device ? "browser" : "device");
    v.text("label", device ? "Sign in with this browser instead" : "Sign in on another device");
    return piece("<form method=\"post\" action=\"{{self}}/approve\"><input type=\"hidden\" name=\"method\" "
                 "value=\"{{method}}\"><button class=\"quiet\">{{label}}</button></form>",
                 v);
}

safe_html decision_part(const approval& a, const page_place& place) {
    if (decided(a.status))
        return {};
    const auto host = shown_host(a.login_host);
    std::string label = a.status == approval_status::authorizing ? "Continue to the sign-in" : "Approve";
    if (!host.empty())
        label += (a.status == approval_status::authorizing ? " at " : " and go to ") + host;
    safe_html approve;
    const bool needs_operator = a.completes_without_login && !place.may_complete;
    if (needs_operator)
        approve = operator_hint(a);
    append(approve, not_shown(a));
    if (place.for_another && !a.completes_without_login)
        append(approve,
               piece("<div class=\"note warn\" role=\"note\">This sign-in is for <strong>{{who}}</strong>: "
                     "whoever signs in there now is who they are at {{upstream}} from then on.</div>",
                     template_values().text("who", a.principal).text("upstream", a.upstream)));
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(a.expires_at - place.now).count();
    template_values v;
    v.text("self", place.self, 400).text("label", label, 300).text("until", rfc3339(a.expires_at));
    v.text("left", minutes < 1 ? "less than a minute left" : std::to_string(minutes) + " min left");
    v.html("before", approve);
    if (!a.user_code.empty())
        v.html("before", device_code(a));
    v.html("other", other_way(a, place));
    v.html("unseen", a.calls.hidden > 0 ? safe_html{"<label class=\"check\"><input type=\"checkbox\" "
                                                    "name=\"unseen\" value=\"1\" required> I approve what is "
                                                    "not shown here</label>"}
                                        : safe_html{});
    v.html("approve",
           needs_operator || !a.user_code.empty()
               ? safe_html{}
               : piece("<form id=\"approve\" method=\"post\" action=\"{{self}}/approve\">{{unseen}}"
                       "<button class=\"primary\">{{label}}</button></form>",
                       v));
    return piece("{{before}}<div class=\"decision\">{{approve}}{{other}}<form method=\"post\" "
                 "action=\"{{self}}/deny\">"
                 "<button class=\"quiet\">Deny</button></form>"
                 "<p class=\"left\"><time id=\"left\" datetime=\"{{until}}\">{{left}}</time></p></div>",
                 v);
}

safe_html facts(const approval& a) {
    safe_html rows;
    const auto row = [&](std::string_view name, const std::string& value, std::string_view remark = {}) {
        if (value.empty())
            return;
        template_values v;
        v.text("name", name).text("value", value).text("remark", remark);
        append(rows, piece(remark.empty() ? "<dt>{{name}}</dt><dd>{{value}}</dd>"
                                          : "<dt>{{name}}</dt><dd>{{value}} <small>({{remark}})</small></dd>",
                           v));
    };
    row("Client", a.client_name, "as it calls itself");
    row("Tool", visible_name(a.tool));
    row("Message", visible_name(a.method));
    row("Sent to", visible_text(a.target));
    row("Upstream", a.upstream);
    row("On behalf of", a.principal == "local" ? "" : a.principal);
    row("Signed in before as", a.account_before);
    row("Why", a.wished ? "" : reason_words(a));
    row("Digest", a.digest.substr(0, 16), "of what your yes is bound to");
    row("Recovery", a.recovery);
    append(rows, piece("<dt>Asked</dt><dd><time class=\"local\" datetime=\"{{t}}\">{{t}}</time></dd>",
                       template_values().text("t", rfc3339(a.created_at))));
    return rows;
}

safe_html paste(const approval& a, const page_place& place) {
    if (decided(a.status) || a.completes_without_login || !a.user_code.empty())
        return {};
    return piece(
        "<details{{open}}><summary>The provider sent me to a page that does not load</summary>"
        "<p>That happens when mcp-reauth runs on another machine or in a container. Copy the whole address "
        "from "
        "the address bar of that page and paste it here.</p>"
        "<form class=\"paste\" method=\"post\" action=\"{{self}}/callback\">"
        "<label>Address you were sent to<input type=\"text\" name=\"url\" required autocomplete=\"off\" "
        "spellcheck=\"false\" "
        "inputmode=\"url\"></label><button class=\"quiet\">Finish the sign-in</button></form></details>",
        template_values()
            .text("self", place.self, 400)
            .html("open", {a.status == approval_status::authorizing ? " open" : ""}));
}

} // namespace

std::string render_approval_page(const approval& a, const page_place& place) {
    const auto notice = place.notice.empty()
                            ? safe_html{}
                            : piece("<div class=\"note bad first\" role=\"alert\">{{n}}</div>",
                                    template_values().html("n", with_code(place.notice, 600)));
    const auto title = headline(a);
    page_frame frame{"approval.html", "approval.js", title, {}, false};
    frame.pill =
        piece("<span class=\"pill {{tone}}\">{{words}}</span>",
              template_values().text("tone", status_tone(a.status)).text("words", status_words(a.status)));
    template_values v;
    v.text("self", place.self, 400).text("id", a.id).text("status", to_string(a.status));
    v.text("eyebrow", eyebrow(a)).text("headline", title, 160);
    v.html("who", place.signed_in_as.empty()
                      ? safe_html{}
                      : piece("<p class=\"who\">Signed in as <strong>{{who}}</strong></p>",
                              template_values().text("who", place.signed_in_as)));
    v.html("notice", notice).html("lede", lede(a, place.somebody_waits));
    v.html("scopes", scope_columns(a)).html("route", route(a)).html("arguments", arguments(a));
    v.text("who_asks", a.wished ? "What this is about" : "Who asks");
    v.html("warning", decided(a.status) ? safe_html{} : warning(a));
    v.html("decision", decision_part(a, place)).html("facts", facts(a)).html("paste", paste(a, place));
    return render_page(place.base, frame, std::move(v));
}

std::string render_message_page(const std::string& base, std::string_view tone, std::string_view title,
                                std::string_view detail, std::string_view hint, bool warns) {
    template_values v;
    v.text("tone", tone).text("title", title).html("detail", with_code(detail, 600));
    v.html("hint", hint.empty() ? safe_html{}
                                : fill(warns ? "<p class=\"note warn\" role=\"alert\">{{hint}}</p>"
                                             : "<p class=\"note\">{{hint}}</p>",
                                       template_values().html("hint", with_code(hint, 600))));
    return render_page(base, {"message.html", "message.js", title, {}, false}, std::move(v));
}

std::string render_dashboard_page(const std::string& base, bool people_sign_in) {
    page_frame frame{"dashboard.html", "dashboard.js", "Dashboard", {}, true};
    frame.pill = {"<span id=\"link-state\" class=\"pill\" role=\"status\">Connecting…</span>"};
    template_values v;
    v.html("people", people_sign_in ? safe_html{" data-people=\"1\""} : safe_html{});
    return render_page(base, frame, std::move(v));
}

std::string render_open_page(const std::string& base) {
    return render_page(base, {"open.html", "open.js", "Dashboard", {}, false}, {});
}

} // namespace reauth
