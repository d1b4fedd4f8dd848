// The memory of one request in progress, lent: an idle connection or a streaming answer holds none, and who
// waits for its answer none for the answer.
#pragma once

#include "core/http/http_body.hpp"
#include "core/http/http_head.hpp"
#include "proxy/net/block_pool.hpp"
#include "proxy/relay/byte_record.hpp"
#include "proxy/relay/input_buffer.hpp"

#include <string>
#include <string_view>

namespace reauth {

/// Five pages, of which a small message touches one.
inline constexpr std::size_t message_block = input_buffer::first_size + block_pool::page;

/// Of the upstream's answer.
struct answer_buffers {
    input_buffer reply{bytes}; ///< head and first bytes
    response_head answer;      ///< views into `reply`

    answer_buffers() noexcept {} // NOLINT(modernize-use-equals-default): leaves `bytes` as they are
    void recycle() noexcept {
        reply.shrink();
        answer.fields.shrink();
    }
    static block_pool& pool() noexcept;

private:
    char bytes[input_buffer::first_size];
};

/// All buffers of one request.
struct request_buffers {
    input_buffer in{bytes};  ///< from the client: head, and the body where it fits
    request_head head;       ///< views into `in`
    lent<answer_buffers> up; ///< null until the upstream answers
    std::string out;         ///< what is being sent
    std::string target;      ///< the upstream's path and query
    byte_record record;      ///< the body where it does not fit into `in`, framing included

    request_buffers() noexcept {} // NOLINT(modernize-use-equals-default): leaves `bytes` as they are
    answer_buffers& need_answer() {
        if (!up)
            up = lend<answer_buffers>();
        return *up;
    }

    /// A held request keeps what it will be sent again from, and nothing more.
    void hold();
    void recycle() noexcept;
    static block_pool& pool() noexcept;

private:
    /// The head's views follow its bytes to another place.
    void rebase(const char* before, const char* now) noexcept;

    char bytes[input_buffer::first_size];
};

static_assert(sizeof(answer_buffers) <= message_block && sizeof(request_buffers) <= message_block);

} // namespace reauth
