// Where a body is kept, and when it no longer is.
#include "proxy/relay/replay_body.hpp"

#include <algorithm>
#include <utility>

namespace reauth {

replay_body::replay_body(lent<request_buffers>& memory, std::atomic<std::uint64_t>& recorded,
                         const limits_config& limits)
    : memory_(memory), recorded_everywhere_(recorded), limits_(limits), scanner_(memory->head),
      bytes_(memory->head.size) {
    const auto& head = memory->head;
    if (head.framing == body_framing::none) {
        read_ = in_place_ = true;
        return;
    }
    if (head.framing != body_framing::sized || head.size + head.content_length > input_buffer::first_size)
        return;
    const auto all = head.size + static_cast<std::size_t>(head.content_length);
    auto& in = memory->in;
    // the head's views must stay valid: the buffer may neither move nor grow
    if (in.view().data() + all > in.space() + in.free())
        return;
    bytes_ = all;
    in_place_ = true;
}

bool replay_body::arrived() noexcept {
    if (in_place_ && !read_)
        read_ = memory_->in.size() >= bytes_;
    return read_;
}

bool replay_body::make_room(std::size_t more) noexcept {
    if (recorded_ + more > limits_.replay_body)
        return false;
    if (recorded_everywhere_.fetch_add(more, std::memory_order_relaxed) + more > limits_.replay_memory) {
        recorded_everywhere_.fetch_sub(more, std::memory_order_relaxed);
        return false;
    }
    recorded_ += more;
    return true;
}

void replay_body::record(std::string_view& input) {
    broken_ = !pass_body(scanner_, input, false, memory_->record);
    read_ = scanner_.done();
}

void replay_body::take_first() {
    auto& in = memory_->in;
    const auto head = memory_->head.size;
    if (read_ || in_place_ || in.size() <= head || !memory_->record.empty())
        return;
    auto input = in.view().substr(head);
    whole_ = whole_ && make_room(input.size());
    const auto given = input.size();
    record(input);
    in.cut_out(head, given - input.size());
}

void replay_body::take(std::string_view bytes) {
    if (whole_ && !make_room(bytes.size())) {
        forget();
        whole_ = false;
    }
    record(bytes);
    if (bytes.empty())
        return;
    auto& in = memory_->in;
    if (in.free() < bytes.size()) {
        next_lost_ = true;
        return;
    }
    std::memcpy(in.space(), bytes.data(), bytes.size());
    in.added(bytes.size());
}

std::span<char> replay_body::direct() {
    if (read_ || in_place_ || !whole_ || scanner_.framing() != body_framing::sized ||
        memory_->head.content_length > limits_.replay_body)
        return {};
    auto* space = memory_->record.space();
    const auto left = memory_->head.content_length - scanner_.payload();
    return {space, static_cast<std::size_t>(std::min<std::uint64_t>(left, memory_->record.free()))};
}

void replay_body::took(std::size_t n) {
    std::string_view fresh(memory_->record.space(), n);
    memory_->record.added(n);
    (void)scanner_.next(fresh);
    read_ = scanner_.done();
    if (make_room(n))
        return;
    // what was sent is not needed, since it can't be sent again; what was not is still under way
    whole_ = false;
    recorded_everywhere_.fetch_sub(std::exchange(recorded_, 0), std::memory_order_relaxed);
}

std::string_view replay_body::view() const noexcept {
    if (!memory_)
        return {};
    if (in_place_)
        return memory_->in.view().substr(memory_->head.size, bytes_ - memory_->head.size);
    return memory_->record.view();
}

std::string_view replay_body::payload(std::string& store) const {
    const auto& head = memory_->head;
    if (head.framing != body_framing::chunked)
        return view();
    body_scanner scanner(head);
    auto input = view();
    pass_body(scanner, input, true, store);
    return store;
}

std::string_view replay_body::unsent() const noexcept {
    return view().substr(sent_);
}

void replay_body::sent(std::size_t n) noexcept {
    sent_ += n;
    if (!whole_ && memory_) {
        memory_->record.rewind();
        sent_ = 0;
    }
}

void replay_body::forget() noexcept {
    if (in_place_)
        return;
    if (memory_)
        memory_->record.clear();
    whole_ = false;
    sent_ = 0;
    recorded_everywhere_.fetch_sub(std::exchange(recorded_, 0), std::memory_order_relaxed);
}

bool replay_body::alone_in_memory() const noexcept {
    return read_ && memory_ && memory_->in.size() <= bytes_;
}

void replay_body::release() noexcept {
    if (memory_)
        memory_->in.consume(std::exchange(bytes_, 0));
}

void replay_body::detach() noexcept {
    forget();
    in_place_ = whole_ = false;
    bytes_ = 0;
}

} // namespace reauth
