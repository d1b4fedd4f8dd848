// A file descriptor that is closed where nobody takes it over.
#pragma once

#include <unistd.h>

#include <utility>

namespace reauth {

class owned_descriptor {
public:
    explicit owned_descriptor(int number = -1) noexcept : number_(number) {}
    owned_descriptor(owned_descriptor&& other) noexcept : number_(other.release()) {}
    owned_descriptor& operator=(owned_descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~owned_descriptor() {
        if (number_ >= 0)
            ::close(number_);
    }
    int get() const noexcept { return number_; }
    /// It is the caller's now.
    int release() noexcept { return std::exchange(number_, -1); }

private:
    int number_;
};

} // namespace reauth
