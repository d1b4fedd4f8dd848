// A small archive (POSIX ustar, gzip), made in memory.
#pragma once

#include "core/base/time_point.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reauth {

class tar_archive {
public:
    /// `at`: when its members were made.
    explicit tar_archive(time_point at) : at_(at) {}
    /// `name`: at most 100 bytes, relative; what has no place in a name is replaced.
    void add(std::string_view name, std::string_view text);
    const std::vector<std::string>& names() const noexcept { return names_; }
    /// The whole of it, gzip'ed.
    std::string compressed() const;

private:
    time_point at_;
    std::string bytes_;
    std::vector<std::string> names_;
};

} // namespace reauth
