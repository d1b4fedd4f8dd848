// Kept by threads, else in one depot without pages.
#include "proxy/net/block_pool.hpp"

#include <map>
#include <mutex>
#include <new>
#include <vector>

#include <sys/mman.h>

namespace reauth {
namespace {

constexpr std::size_t chunk_size = std::size_t{1} << 20;

/// All blocks without pages, by size.
struct depot {
    std::mutex mutex;
    std::map<std::size_t, std::vector<void*>> empty;

    void* take(std::size_t size) {
        const std::lock_guard lock(mutex);
        auto& free = empty[size];
        if (free.empty()) {
            auto* chunk =
                ::mmap(nullptr, chunk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (chunk == MAP_FAILED)
                throw std::bad_alloc();
            free.reserve(free.capacity() + chunk_size / size); // giving back never allocates
            for (std::size_t at = 0; at + size <= chunk_size; at += size)
                free.push_back(static_cast<char*>(chunk) + at);
        }
        auto* block = free.back();
        free.pop_back();
        return block;
    }
    void give(void* block, std::size_t size) noexcept {
        ::madvise(block, size, MADV_DONTNEED);
        const std::lock_guard lock(mutex);
        empty[size].push_back(block);
    }
};

/// Never destroyed: threads give back until the very end.
depot& the_depot() {
    static auto* one = new depot;
    return *one;
}

struct kept_list {
    const block_pool* of = nullptr;
    std::size_t count = 0;
    void* blocks[block_pool::most_a_thread_keeps] = {};
};

constinit thread_local kept_list kept[block_pool::uses];

} // namespace

/// The thread ends: what it kept goes.
struct thread_end_of_blocks {
    ~thread_end_of_blocks() {
        for (auto& list : kept)
            while (list.count > 0) {
                auto* block = list.blocks[--list.count];
                list.of->end_(block);
                the_depot().give(block, list.of->size_);
            }
    }
    bool known = false;
};

void* block_pool::take_kept() noexcept {
    auto& mine = kept[static_cast<std::size_t>(what_for_)];
    return mine.count > 0 ? mine.blocks[--mine.count] : nullptr;
}

void* block_pool::take_empty() {
    static thread_local thread_end_of_blocks end;
    end.known = true;
    kept[static_cast<std::size_t>(what_for_)].of = this;
    return the_depot().take(size_);
}

bool block_pool::keeps() const noexcept {
    const auto& mine = kept[static_cast<std::size_t>(what_for_)];
    return mine.of && mine.count < most_kept_;
}

void block_pool::give_kept(void* block) noexcept {
    auto& mine = kept[static_cast<std::size_t>(what_for_)];
    mine.blocks[mine.count++] = block;
}

void block_pool::give_empty(void* block) noexcept {
    the_depot().give(block, size_);
}

void block_pool::trim(void* block, std::size_t used) const noexcept {
    const auto whole = (used + page - 1) / page * page;
    if (whole < size_)
        ::madvise(static_cast<char*>(block) + whole, size_ - whole, MADV_DONTNEED);
}

} // namespace reauth
