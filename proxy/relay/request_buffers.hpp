// The memory of one request in progress, lent by the worker: an idle connection or a streaming answer holds
// none.
#pragma once

#include "core/http/http_body.hpp"
#include "core/http/http_head.hpp"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// Bytes that were received and not yet used; grows up to a limit, keeps its memory.
class input_buffer {
public:
    static constexpr std::size_t first_size = 16 * 1024;

    input_buffer() : bytes_(first_size) {}
    std::string_view view() const noexcept { return {bytes_.data() + begin_, end_ - begin_}; }
    std::size_t size() const noexcept { return end_ - begin_; }
    std::size_t capacity() const noexcept { return bytes_.size(); }
    char* space() noexcept { return bytes_.data() + end_; }
    std::size_t free() const noexcept { return bytes_.size() - end_; }
    void added(std::size_t n) noexcept { end_ += n; }
    void consume(std::size_t n) noexcept {
        begin_ += n;
        if (begin_ == end_)
            begin_ = end_ = 0;
    }
    /// Moves what is there to the front. Views into the buffer are void then.
    void compact() noexcept {
        if (begin_ == 0)
            return;
        std::memmove(bytes_.data(), bytes_.data() + begin_, size());
        end_ -= begin_;
        begin_ = 0;
    }
    void grow(std::size_t to) {
        if (bytes_.size() < to)
            bytes_.resize(to);
    }
    void clear() noexcept { begin_ = end_ = 0; }
    /// Takes out `n` bytes behind the first `keep`, which stay where they are: views into them stay valid.
    void cut_out(std::size_t keep, std::size_t n) noexcept {
        std::memmove(bytes_.data() + begin_ + keep, bytes_.data() + begin_ + keep + n, size() - keep - n);
        end_ -= n;
    }
    /// As small as what it holds and `room`. Views into the buffer are void then.
    void fit(std::size_t room) {
        std::vector<char> exact(size() + room);
        std::memcpy(exact.data(), bytes_.data() + begin_, size());
        end_ -= begin_;
        begin_ = 0;
        bytes_.swap(exact);
    }
    void shrink() {
        if (bytes_.size() != first_size)
            std::vector<char>(first_size).swap(bytes_);
        clear();
    }

private:
    std::vector<char> bytes_;
    std::size_t begin_ = 0, end_ = 0;
};

/// Of the upstream's answer.
struct answer_buffers {
    input_buffer reply;   ///< head and first bytes
    response_head answer; ///< views into `reply`
};

/// All buffers of one request.
struct request_buffers {
    input_buffer in;   ///< from the client: head, and the body where it fits
    request_head head; ///< views into `in`
    std::unique_ptr<answer_buffers> up = std::make_unique<answer_buffers>(); ///< null while it is held
    std::string out;                                                         ///< what is being sent
    std::string target; ///< the upstream's path and query
    std::string record; ///< the body where it does not fit into `in`, framing included

    /// A held request keeps what it will be sent again from, and nothing more.
    void hold() {
        up.reset();
        std::string().swap(out);
        const auto* before = in.view().data();
        in.fit(early_bytes);
        rebase(before, in.view().data());
    }
    void resume() {
        if (!up)
            up = std::make_unique<answer_buffers>();
    }

    void recycle() {
        resume();
        in.shrink();
        head.fields.shrink();
        up->reply.shrink();
        up->answer.fields.shrink();
        trim(out);
        trim(target);
        trim(record);
    }

private:
    static constexpr std::size_t early_bytes = 512; ///< room for the beginning of a next request

    /// The head's views follow its bytes to another place.
    void rebase(const char* before, const char* now) noexcept {
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
    static void trim(std::string& s) {
        if (s.capacity() > input_buffer::first_size)
            std::string().swap(s);
        s.clear();
    }
};

/// Last in, first out, so that the warmest memory is used again.
class buffer_pool {
public:
    std::unique_ptr<request_buffers> take() {
        if (free_.empty())
            return std::make_unique<request_buffers>();
        auto s = std::move(free_.back());
        free_.pop_back();
        return s;
    }
    void give(std::unique_ptr<request_buffers> s) {
        if (!s || free_.size() >= 64)
            return;
        s->recycle();
        free_.push_back(std::move(s));
    }

private:
    std::vector<std::unique_ptr<request_buffers>> free_;
};

} // namespace reauth
