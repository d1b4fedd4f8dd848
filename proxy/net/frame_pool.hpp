// Memory of coroutine frames: made again and again in a few sizes, so each thread keeps what it has given
// back.
#pragma once

#include <cstddef>

namespace reauth::frame_pool {

/// `size` bytes, as operator new gives them; from what this thread kept where it can.
void* take(std::size_t size);
/// Of take(), with the same size; on any thread.
void give(void* memory, std::size_t size) noexcept;

} // namespace reauth::frame_pool
