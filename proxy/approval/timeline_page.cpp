// A row for each step, with its bar on one axis for all of them: long waits are drawn shorter than they were,
// so that what took milliseconds can be seen beside what took minutes.
#include "proxy/approval/timeline_page.hpp"

#include "core/text/time_text.hpp"
#include "proxy/approval/page_frame.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

namespace reauth {
namespace {

constexpr double axis_length = 1000, least_bar = 6;

time_point end_of_step(const timeline_step& s) {
    return s.at + std::max(s.took, std::chrono::milliseconds(0));
}

/// Places times on the axis: in their order, each gap as long as its length's logarithm.
class time_axis {
public:
    explicit time_axis(const timeline& t) {
        std::set<time_point> all{t.began};
        for (const auto& s : t.steps) {
            all.insert(s.at);
            all.insert(end_of_step(s));
        }
        double so_far = 0;
        auto before = *all.begin();
        for (const auto at : all) {
            const auto gap = std::chrono::duration<double, std::milli>(at - before).count();
            so_far += std::log2(1 + gap);
            points_.emplace_back(at, so_far);
            before = at;
        }
        length_ = std::max(so_far, 1.0);
    }
    double place(time_point at) const {
        const auto found = std::lower_bound(points_.begin(), points_.end(), at,
                                            [](const auto& p, time_point t) { return p.first < t; });
        return found == points_.end() ? axis_length : found->second / length_ * axis_length;
    }

private:
    std::vector<std::pair<time_point, double>> points_;
    double length_ = 1;
};

std::string in_words(std::chrono::milliseconds d) {
    const auto ms = d.count();
    if (ms < 1000)
        return std::to_string(ms) + " ms";
    std::array<char, 24> text{};
    if (ms < 120'000)
        std::snprintf(text.data(), text.size(), "%.1f s", static_cast<double>(ms) / 1000);
    else
        std::snprintf(text.data(), text.size(), "%.1f min", static_cast<double>(ms) / 60'000);
    return text.data();
}

const std::string* fact_of(const timeline_step& s, std::string_view name) {
    for (const auto& [key, value] : s.facts)
        if (key == name && !value.empty())
            return &value;
    return nullptr;
}

/// How a bar is coloured.
const char* tone_of(const timeline_step& s) {
    const auto* code = fact_of(s, "code");
    if (code && *code != "ok")
        return "bad";
    if (s.what == "approval" || s.what == "decision" || s.what == "sign_in" || s.what == "sign_out")
        return "person";
    if (s.what == "exchange" || s.what == "token request")
        return "net";
    return s.what == "request" || s.what == "challenge" ? "held" : "own";
}

std::string coordinate(double x) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%.1f", x);
    return text.data();
}

safe_html bar(const timeline_step& s, const time_axis& axis) {
    const auto from = axis.place(s.at), to = axis.place(end_of_step(s));
    const auto width = std::max(least_bar, to - from);
    template_values v;
    v.text("x", coordinate(std::min(from, axis_length - width)))
        .text("w", coordinate(width))
        .text("tone", tone_of(s));
    return fill(
        "<svg class=\"bar\" viewBox=\"0 0 1000 16\" preserveAspectRatio=\"none\" aria-hidden=\"true\" "
        "focusable=\"false\"><rect class=\"lane\" x=\"0\" y=\"7\" width=\"1000\" height=\"2\"></rect>"
        "<rect class=\"{{tone}}\" x=\"{{x}}\" y=\"2\" width=\"{{w}}\" height=\"12\"></rect></svg>",
        v);
}

safe_html facts_list(const timeline_step& s) {
    safe_html out;
    for (const auto& [name, value] : s.facts) {
        if (value.empty())
            continue;
        std::string words = name;
        std::replace(words.begin(), words.end(), '_', ' ');
        out.text += fill("<span><b>{{name}}</b> {{value}}</span>",
                         template_values().text("name", words).text("value", value, 300))
                        .text;
    }
    return out;
}

safe_html step_row(const timeline_step& s, const timeline& t, const time_axis& axis) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(s.at - t.began);
    const auto when = "+" + in_words(std::max(since, std::chrono::milliseconds(0)));
    template_values v;
    auto what = s.what;
    std::replace(what.begin(), what.end(), '_', ' ');
    v.text("what", what)
        .text("when", when)
        .text("took", s.took.count() >= 0 ? "took " + in_words(s.took) : "");
    v.html("bar", bar(s, axis)).html("facts", facts_list(s));
    return fill(
        "<li><div class=\"step\"><strong>{{what}}</strong><span>{{when}}</span><span>{{took}}</span></div>"
        "{{bar}}<div class=\"said\">{{facts}}</div></li>",
        v);
}

safe_html head_row(std::string_view name, std::string_view value) {
    return value.empty() ? safe_html{}
                         : fill("<dt>{{name}}</dt><dd>{{value}}</dd>",
                                template_values().text("name", name).text("value", value, 300));
}

/// How it ended, in the words of its last entry.
std::pair<std::string, std::string> outcome_of(const timeline& t) {
    if (t.entries.empty())
        return {"", "Nothing was decided in it"};
    const auto& last = t.entries.back();
    auto how = last.how;
    std::replace(how.begin(), how.end(), '_', ' ');
    if (last.code == "ok")
        return {"good", how + ": worked"};
    auto code = last.code;
    std::replace(code.begin(), code.end(), '_', ' ');
    return {"bad", how + ": " + code};
}

} // namespace

std::string render_timeline_page(const std::string& base, const timeline& t) {
    const time_axis axis(t);
    template_values v;
    safe_html rows, head;
    for (const auto& s : t.steps)
        rows.text += step_row(s, t, axis).text;
    const auto length = std::chrono::duration_cast<std::chrono::milliseconds>(t.ended - t.began);
    for (const auto& row :
         {head_row("Upstream", t.upstream), head_row("On behalf of", t.principal),
          head_row("Began", rfc3339_ms(t.began)), head_row("Lasted", in_words(length)),
          head_row("Recovery", t.id), head_row("Trace", t.trace), head_row("Written by", t.process)})
        head.text += row.text;
    const auto [tone, words] = outcome_of(t);
    v.html("facts", head)
        .html("steps", rows)
        .text("tone", tone)
        .text("outcome", words)
        .text("upstream", t.upstream);
    v.html("left", t.left_off == 0 ? safe_html{}
                                   : fill("<p class=\"soft\">… and {{n}} steps that found no room.</p>",
                                          template_values().text("n", std::to_string(t.left_off))));
    return render_page(base, {"timeline.html", "message.js", "Recovery of " + t.upstream, {}, true},
                       std::move(v));
}

} // namespace reauth
