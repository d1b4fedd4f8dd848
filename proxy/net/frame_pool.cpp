// A list of free blocks for each size, last in, first out.
#include "proxy/net/frame_pool.hpp"

#include <array>
#include <new>

namespace reauth::frame_pool {
namespace {

constexpr std::size_t step = 64, sizes = 64, most_kept = 128;

struct free_block {
    free_block* next;
};

struct shelf {
    free_block* first = nullptr;
    unsigned kept = 0;
};

struct thread_shelves {
    std::array<shelf, sizes> of{};
    ~thread_shelves() {
        for (auto& s : of)
            while (auto* b = s.first) {
                s.first = b->next;
                ::operator delete(b);
            }
    }
};

thread_local thread_shelves shelves;

constexpr std::size_t shelf_number(std::size_t size) noexcept {
    return (size - 1) / step;
}

} // namespace

void* take(std::size_t size) {
    const auto number = shelf_number(size);
    if (number >= sizes)
        return ::operator new(size);
    auto& s = shelves.of[number];
    if (auto* b = s.first) {
        s.first = b->next;
        --s.kept;
        return b;
    }
    return ::operator new((number + 1) * step);
}

void give(void* memory, std::size_t size) noexcept {
    const auto number = shelf_number(size);
    if (number >= sizes || shelves.of[number].kept >= most_kept) {
        ::operator delete(memory);
        return;
    }
    auto& s = shelves.of[number];
    s.first = new (memory) free_block{s.first};
    ++s.kept;
}

} // namespace reauth::frame_pool
