// From the pool, then from the system.
#include "proxy/relay/byte_record.hpp"

#include "proxy/net/block_pool.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include <sys/mman.h>

namespace reauth {
namespace {

constinit block_pool first_blocks(block_pool::use::records, byte_record::first_size, 16,
                                  [](void*) noexcept {});

char* map_pages(std::size_t size) {
    auto* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        throw std::bad_alloc();
    return static_cast<char*>(at);
}

void give_first(void* block) noexcept {
    if (first_blocks.keeps())
        first_blocks.give_kept(block);
    else
        first_blocks.give_empty(block);
}

} // namespace

void byte_record::grow(std::size_t to) {
    if (!bytes_) {
        auto* kept = first_blocks.take_kept();
        bytes_ = static_cast<char*>(kept ? kept : first_blocks.take_empty());
        room_ = first_size;
    }
    if (to <= room_)
        return;
    const auto more = std::max((to + block_pool::page - 1) / block_pool::page * block_pool::page, room_ * 2);
    if (room_ == first_size) {
        auto* pages = map_pages(more);
        std::memcpy(pages, bytes_, size_);
        give_first(bytes_);
        bytes_ = pages;
    } else {
        auto* moved = ::mremap(bytes_, room_, more, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED)
            throw std::bad_alloc();
        bytes_ = static_cast<char*>(moved);
    }
    room_ = more;
}

char* byte_record::space() {
    if (size_ == room_)
        grow(size_ + 1);
    return bytes_ + size_;
}

void byte_record::append(std::string_view more) {
    if (more.empty())
        return;
    grow(size_ + more.size());
    std::memcpy(bytes_ + size_, more.data(), more.size());
    size_ += more.size();
}

void byte_record::clear() noexcept {
    if (!bytes_)
        return;
    if (room_ == first_size)
        give_first(bytes_);
    else
        ::munmap(bytes_, room_);
    bytes_ = nullptr;
    room_ = size_ = 0;
}

} // namespace reauth
