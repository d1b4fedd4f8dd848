// Memory in whole pages, for what holds bytes in transit: what is not used has no pages.
#pragma once

#include <cstddef>
#include <memory>

namespace reauth {

/// Blocks of one size. Each thread keeps the few that it gave back last, with their pages; all others give
/// their pages to the system at once, so that what a burst needed is gone with it.
class block_pool {
public:
    static constexpr std::size_t page = 4096;

    /// What the blocks are for: one pool each.
    enum class use : unsigned char { requests, answers, records };
    static constexpr std::size_t uses = 3, most_a_thread_keeps = 256;

    /// Blocks of `block_size` bytes, whole pages; a thread keeps at most `most_kept`. `end`: what is done
    /// with one that was kept, before its pages go.
    constexpr block_pool(use what_for, std::size_t block_size, std::size_t most_kept,
                         void (*end)(void*) noexcept) noexcept
        : what_for_(what_for), size_(block_size), most_kept_(most_kept), end_(end) {}

    /// A block that this thread has kept, as it was given back, or nothing.
    void* take_kept() noexcept;
    /// Any other: all zero.
    void* take_empty();
    /// Whether give_kept() would keep one more.
    bool keeps() const noexcept;
    void give_kept(void* block) noexcept;
    void give_empty(void* block) noexcept;

    /// The pages of a block beyond its first `used` bytes go to the system.
    void trim(void* block, std::size_t used) const noexcept;

private:
    friend struct thread_end_of_blocks;

    const use what_for_;
    const std::size_t size_, most_kept_;
    void (*const end_)(void*) noexcept;
};

/// Gives an object back to the pool that its memory is from.
template<class T>
struct back_to_pool {
    void operator()(T* object) const noexcept {
        auto& pool = T::pool();
        if (pool.keeps()) {
            object->recycle();
            pool.give_kept(object);
        } else {
            object->~T();
            pool.give_empty(object);
        }
    }
};

/// An object in a block of T::pool(), lent; it comes back recycled.
template<class T>
using lent = std::unique_ptr<T, back_to_pool<T>>;

/// T::pool()'s `end`.
template<class T>
void end_object(void* block) noexcept {
    static_cast<T*>(block)->~T();
}

template<class T>
lent<T> lend() {
    auto& pool = T::pool();
    if (auto* kept = pool.take_kept())
        return lent<T>(static_cast<T*>(kept));
    return lent<T>(new (pool.take_empty()) T);
}

} // namespace reauth
