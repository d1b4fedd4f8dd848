// Slabs: aligned, so that a block's own is found by its address.
#include "proxy/net/frame_pool.hpp"

#include <array>
#include <cstdint>
#include <new>

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define REAUTH_PLAIN_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REAUTH_PLAIN_FRAMES 1
#endif
#endif

namespace reauth::frame_pool {

#ifdef REAUTH_PLAIN_FRAMES
// each by itself, so that the sanitizer sees what is used after its end
void* take(std::size_t size) {
    return ::operator new(size);
}
void give(void* memory, std::size_t) noexcept {
    ::operator delete(memory);
}

#else
namespace {

constexpr std::size_t step = 32, sizes = 64, slab_size = std::size_t{64} * 1024;
constexpr unsigned most_empty = 16; ///< slabs that a thread keeps though nothing is in them

struct free_block {
    free_block* next;
};

struct thread_slabs;

struct slab {
    thread_slabs* owner;
    slab *previous, *next; ///< among those of its size that have room
    free_block* free;      ///< given back
    char* fresh;           ///< never given out yet, up to the end
    std::uint32_t block, live;

    char* end() noexcept { return reinterpret_cast<char*>(this) + slab_size; }
    bool full() noexcept { return !free && static_cast<std::size_t>(end() - fresh) < block; }
};

struct thread_slabs {
    std::array<slab*, sizes> with_room{};
    unsigned empty = 0;
    std::size_t alive = 0; ///< slabs
};

/// Beyond its thread's end it lives as long as its slabs.
struct thread_end {
    thread_slabs* mine = new thread_slabs;
    ~thread_end();
};

constinit thread_local thread_slabs* slabs_of_thread = nullptr;

thread_slabs& begin_thread() {
    static const thread_local thread_end end;
    slabs_of_thread = end.mine;
    return *end.mine;
}

constexpr std::size_t number_of(std::size_t block) noexcept {
    return block / step - 1;
}

void link(slab& s) noexcept {
    auto*& first = s.owner->with_room[number_of(s.block)];
    s.previous = nullptr;
    s.next = first;
    if (first)
        first->previous = &s;
    first = &s;
}

void unlink(slab& s) noexcept {
    (s.previous ? s.previous->next : s.owner->with_room[number_of(s.block)]) = s.next;
    if (s.next)
        s.next->previous = s.previous;
}

void* map_slab() {
    // twice as much has an aligned half
    auto* at = ::mmap(nullptr, 2 * slab_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        throw std::bad_alloc();
    auto* begin = static_cast<char*>(at);
    const auto before = (slab_size - reinterpret_cast<std::uintptr_t>(begin) % slab_size) % slab_size;
    if (before > 0)
        ::munmap(begin, before);
    ::munmap(begin + before + slab_size, slab_size - before);
    return begin + before;
}

slab& make_slab(thread_slabs& owner, std::size_t block) {
    auto* s = new (map_slab()) slab{};
    s->owner = &owner;
    s->block = static_cast<std::uint32_t>(block);
    s->fresh = reinterpret_cast<char*>(s) + (sizeof(slab) + step - 1) / step * step;
    ++owner.alive;
    ++owner.empty;
    link(*s);
    return *s;
}

void end_slab(slab& s) noexcept {
    auto& owner = *s.owner;
    unlink(s);
    --owner.alive;
    --owner.empty;
    ::munmap(&s, slab_size);
}

thread_end::~thread_end() {
    slabs_of_thread = nullptr;
    for (auto* first : mine->with_room)
        for (auto* s = first; s;) {
            auto* next = s->next;
            if (s->live == 0)
                end_slab(*s);
            s = next;
        }
    if (mine->alive == 0)
        delete mine;
}

} // namespace

void* take(std::size_t size) {
    const auto block = (size + step - 1) / step * step;
    if (number_of(block) >= sizes)
        return ::operator new(size);
    auto& mine = slabs_of_thread ? *slabs_of_thread : begin_thread();
    auto* s = mine.with_room[number_of(block)];
    if (!s) [[unlikely]]
        s = &make_slab(mine, block);
    if (s->live++ == 0)
        --mine.empty;
    void* memory = s->free;
    if (memory) {
        s->free = s->free->next;
    } else {
        memory = s->fresh;
        s->fresh += block;
    }
    if (s->full()) [[unlikely]]
        unlink(*s);
    return memory;
}

void give(void* memory, std::size_t size) noexcept {
    const auto block = (size + step - 1) / step * step;
    if (number_of(block) >= sizes) {
        ::operator delete(memory);
        return;
    }
    auto& s = *reinterpret_cast<slab*>(reinterpret_cast<std::uintptr_t>(memory) / slab_size * slab_size);
    const bool was_full = s.full();
    s.free = new (memory) free_block{s.free};
    if (was_full) [[unlikely]]
        link(s);
    if (--s.live > 0)
        return;
    if (++s.owner->empty > most_empty)
        end_slab(s);
}
#endif

} // namespace reauth::frame_pool
