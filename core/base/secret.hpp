// A string that redacts itself: it can be moved about, compared and sent, but not printed by accident.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace reauth {

/// Holds a token, code, verifier, password or key. It has no implicit conversion to a string, prints as
/// `[redacted]`, compares in constant time and wipes its memory when it goes.
class secret {
public:
    secret() = default;
    explicit secret(std::string value) : value_(std::move(value)) {}
    secret(const secret&) = default;
    secret(secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
    secret& operator=(const secret& other);
    secret& operator=(secret&& other) noexcept;
    ~secret() { wipe(); }

    /// The bytes themselves: call it only where they leave for the wire or the sealed vault.
    std::string_view reveal() const noexcept { return value_; }
    bool empty() const noexcept { return value_.empty(); }
    std::size_t size() const noexcept { return value_.size(); }

    /// Constant-time comparison (the length is not hidden).
    friend bool operator==(const secret& a, const secret& b) noexcept { return a.equals(b.value_); }
    bool equals(std::string_view other) const noexcept;

    friend std::ostream& operator<<(std::ostream& out, const secret&) { return out << "[redacted]"; }

private:
    void wipe() noexcept;
    std::string value_;
};

} // namespace reauth
