// Bytes that were received and not yet used.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace reauth {

/// Begins in a place that is given to it, and moves to the heap where that is too small.
class input_buffer {
public:
    static constexpr std::size_t first_size = 16 * 1024;

    /// `place` has first_size bytes and outlives it.
    explicit input_buffer(char* place) noexcept : place_(place), bytes_(place) {}
    input_buffer(const input_buffer&) = delete;

    std::string_view view() const noexcept { return {bytes_ + begin_, end_ - begin_}; }
    std::size_t size() const noexcept { return end_ - begin_; }
    std::size_t capacity() const noexcept { return room_; }
    char* space() noexcept { return bytes_ + end_; }
    std::size_t free() const noexcept { return room_ - end_; }
    void added(std::size_t n) noexcept { end_ += n; }
    void consume(std::size_t n) noexcept {
        begin_ += n;
        if (begin_ == end_)
            begin_ = end_ = 0;
    }
    /// Moves what is there to the front. Views into the buffer are void then.
    void compact() noexcept {
        if (begin_ == 0)
            return;
        std::memmove(bytes_, bytes_ + begin_, size());
        end_ -= begin_;
        begin_ = 0;
    }
    void grow(std::size_t to) {
        if (room_ < to)
            move_to(std::make_unique_for_overwrite<char[]>(to), to);
    }
    void clear() noexcept { begin_ = end_ = 0; }
    /// Takes out `n` bytes behind the first `keep`, which stay where they are: views into them stay valid.
    void cut_out(std::size_t keep, std::size_t n) noexcept {
        std::memmove(bytes_ + begin_ + keep, bytes_ + begin_ + keep + n, size() - keep - n);
        end_ -= n;
    }
    /// On the heap: as small as what it holds and `room`. Views into the buffer are void then.
    void fit(std::size_t room) {
        if (own_)
            move_to(std::make_unique_for_overwrite<char[]>(size() + room), size() + room);
    }
    /// How many bytes of its place are in use.
    std::size_t used_place() const noexcept { return own_ ? 0 : end_; }
    /// Empty, and back in its place.
    void shrink() noexcept {
        own_.reset();
        bytes_ = place_;
        room_ = first_size;
        clear();
    }

private:
    void move_to(std::unique_ptr<char[]> other, std::size_t room) noexcept {
        std::memcpy(other.get(), bytes_ + begin_, size());
        end_ -= begin_;
        begin_ = 0;
        own_ = std::move(other);
        bytes_ = own_.get();
        room_ = room;
    }

    char* const place_;
    char* bytes_;
    std::size_t room_ = first_size, begin_ = 0, end_ = 0;
    std::unique_ptr<char[]> own_;
};

} // namespace reauth
