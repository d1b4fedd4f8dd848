// The sentences of the approval page.
#pragma once

#include "proxy/approval/approvals.hpp"
#include "proxy/approval/html_template.hpp"

#include <string>

namespace reauth {

std::string_view status_words(approval_status s) noexcept;
/// Colour class: good, warn, bad or empty.
std::string_view status_tone(approval_status s) noexcept;
/// One short line above the headline: what kind of question this is.
std::string eyebrow(const approval& a);
/// The question, or what became of it.
std::string headline(const approval& a);
/// What for, in plain words; what became of it. `somebody_waits`: a request is held for it here.
safe_html lede(const approval& a, bool somebody_waits);
/// One sentence about what became of a decided approval.
std::string closing_words(const approval& a);
/// Text whose `code` is set as code. Cleaned and escaped like every hole.
safe_html with_code(std::string_view text, std::size_t cap);
/// Why the upstream challenged, in plain words; empty for an operator's own wish.
std::string reason_words(const approval& a);

} // namespace reauth
