// Memory of coroutine frames and of what lives as long: a few sizes, made again and again by one thread.
#pragma once

#include <cstddef>

namespace reauth::frame_pool {

/// `size` bytes, as operator new gives them. Each size has slabs of its own, so that what lives for hours
/// does not pin the memory of what a burst needed: a slab that is empty goes back to the system, but for a
/// few.
void* take(std::size_t size);
/// Of take(), with the same size; on the thread that took it, or when that has ended.
void give(void* memory, std::size_t size) noexcept;

/// A class whose objects are allocated so.
struct allocated {
    static void* operator new(std::size_t size) { return take(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { give(memory, size); }
};

} // namespace reauth::frame_pool
