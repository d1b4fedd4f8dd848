// What the build makes of the folder assets/.
#pragma once

#include <span>
#include <string_view>

namespace reauth {

struct embedded_file {
    std::string_view name, text;
};

/// Every file of the folder, as it was when the program was built.
std::span<const embedded_file> embedded_files() noexcept;

} // namespace reauth
