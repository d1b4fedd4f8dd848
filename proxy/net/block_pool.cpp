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
            auto* chunk = ::mmap(nullptr, chunk_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
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

} // namespace

struct block_pool::kept_list {
    const block_pool* of = nullptr;
    std::vector<void*> blocks;
    ~kept_list() {
        for (auto* b : blocks) {
            of->end_(b);
            the_depot().give(b, of->size_);
        }
    }
};

block_pool::kept_list& block_pool::mine() const noexcept {
    static thread_local kept_list lists[4];
    auto* list = lists;
    while (list->of && list->of != this)
        ++list;
    list->of = this;
    return *list;
}

void* block_pool::take_kept() noexcept {
    auto& blocks = mine().blocks;
    if (blocks.empty())
        return nullptr;
    auto* b = blocks.back();
    blocks.pop_back();
    return b;
}

void* block_pool::take_empty() {
    auto& blocks = mine().blocks;
    if (blocks.capacity() < most_kept_)
        blocks.reserve(most_kept_);
    return the_depot().take(size_);
}

bool block_pool::keeps() const noexcept {
    const auto& blocks = mine().blocks;
    return blocks.size() < most_kept_ && blocks.size() < blocks.capacity();
}

void block_pool::give_kept(void* block) noexcept {
    mine().blocks.push_back(block);
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
