// The bytes of a large body, one behind the other: grows with what is there.
#pragma once

#include <cstddef>
#include <string_view>

namespace reauth {

/// Its first memory is a block that the thread keeps; beyond that the system's pages, doubled.
class byte_record {
public:
    static constexpr std::size_t first_size = 128 * 1024;

    byte_record() = default;
    byte_record(const byte_record&) = delete;
    ~byte_record() { clear(); }

    std::string_view view() const noexcept { return {bytes_, size_}; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    /// Where the next bytes go: room for at least one, as much as there is.
    char* space();
    std::size_t free() const noexcept { return room_ - size_; }
    void added(std::size_t n) noexcept { size_ += n; }
    void append(std::string_view more);
    /// Empty; its memory stays.
    void rewind() noexcept { size_ = 0; }
    /// Empty, and without memory.
    void clear() noexcept;

private:
    void grow(std::size_t to);

    char* bytes_ = nullptr;
    std::size_t room_ = 0, size_ = 0;
};

} // namespace reauth
