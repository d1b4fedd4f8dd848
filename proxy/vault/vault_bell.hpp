// When a vault is to be asked what others have written.
#pragma once

#include <chrono>

namespace reauth {

/// When to ask for changes.
struct vault_bell {
    int descriptor = -1;                     ///< readable when there may be some; -1: only time tells
    std::chrono::milliseconds patience{200}; ///< they are asked for after that long at the latest
};

} // namespace reauth
