// JSON as servers of the field write it, made JSON (RFC 8259): so that a slip in a member nobody reads spoils
// no document.
#pragma once

#include <string>
#include <string_view>

namespace reauth {

/// A copy in which, inside strings, invalid UTF-8 and unpaired surrogates have become U+FFFD, raw control
/// characters and unknown escapes are escaped; and outside of them numbers too large for a double, NaN and
/// Infinity have become null. The structure stays as it is: what is no JSON for another reason is none
/// afterwards.
std::string repair_json(std::string_view text);

} // namespace reauth
