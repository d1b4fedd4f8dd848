// Catch2, version 2 (Debian 12) or 3 (later ones), under the names of version 2.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

namespace Catch {

using Matchers::StartsWith;

/// A text that holds this one.
inline auto Contains(const std::string& part) {
    return Matchers::ContainsSubstring(part);
}

} // namespace Catch
#else
#include <catch2/catch.hpp>
#endif
