// Whose request it is, as a value: a name that is kept once, with a small number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reauth {

/// Copied freely and compared by number. Names are interned for as long as the process lives.
class principal_id {
public:
    /// "local": without client authentication there is one.
    principal_id();
    /// The one of that name; may be called from any thread.
    static principal_id of(std::string_view name);

    const std::string& name() const noexcept { return entry_->name; }
    std::uint32_t number() const noexcept { return entry_->number; }
    friend bool operator==(principal_id a, principal_id b) noexcept { return a.entry_ == b.entry_; }

private:
    struct entry {
        std::string name;
        std::uint32_t number;
    };
    struct registry;
    explicit principal_id(const entry* e) noexcept : entry_(e) {}
    const entry* entry_; ///< never null
};

} // namespace reauth
