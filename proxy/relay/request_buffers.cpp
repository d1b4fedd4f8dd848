// Lent, held, given back.
#include "proxy/relay/request_buffers.hpp"

namespace reauth {
namespace {

constexpr std::size_t early_bytes = 512; ///< room for the beginning of a next request
constexpr std::size_t kept_by_a_thread = 256;

constinit block_pool request_blocks(block_pool::use::requests, message_block, kept_by_a_thread,
                                    end_object<request_buffers>);
constinit block_pool answer_blocks(block_pool::use::answers, message_block, kept_by_a_thread,
                                   end_object<answer_buffers>);

void trim(std::string& s) noexcept {
    if (s.capacity() > input_buffer::first_size)
        std::string().swap(s);
    s.clear();
}

} // namespace

block_pool& answer_buffers::pool() noexcept {
    return answer_blocks;
}

block_pool& request_buffers::pool() noexcept {
    return request_blocks;
}

void request_buffers::hold() {
    up.reset();
    std::string().swap(out);
    const auto* before = in.view().data();
    in.fit(early_bytes);
    rebase(before, in.view().data());
    request_blocks.trim(this,
                        static_cast<std::size_t>(bytes - reinterpret_cast<char*>(this)) + in.used_place());
}

void request_buffers::recycle() noexcept {
    up.reset();
    in.shrink();
    head.fields.shrink();
    trim(out);
    trim(target);
    record.clear();
}

void request_buffers::rebase(const char* before, const char* now) noexcept {
    const auto move = [&](std::string_view& v) {
        if (!v.empty())
            v = {now + (v.data() - before), v.size()};
    };
    move(head.method);
    move(head.target);
    for (std::size_t i = 0; i < head.field_count; ++i) {
        move(head.fields[i].name);
        move(head.fields[i].value);
        move(head.fields[i].line);
    }
}

} // namespace reauth
