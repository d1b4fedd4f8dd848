// Which message goes out where (MCP 2025-11-25, transports: a response by the stream of its request).
#include "proxy/bridge/era_client.hpp"

#include <algorithm>
#include <utility>

namespace reauth {

std::string open_answer::take_all() {
    if (waiting.size() == 1)
        return take();
    std::string out = "[";
    while (!waiting.empty())
        out += (out.size() > 1 ? "," : "") + take();
    return out + "]";
}

/// nullptr: it has to wait for a stream of the session.
open_answer* era_client::place_for(const rpc_message& message) {
    for (const auto& post : posts_)
        if ((message.is_response() && post->missing.contains(message.id)) ||
            (!message.progress_of.empty() && post->tokens.contains(message.progress_of)))
            return post.get();
    if (message.is_response())
        return nullptr;
    if (stream_ && !message.is_request())
        return stream_.get();
    // a request of the server belongs to what it works on; the oldest is as good a guess as any
    for (const auto& post : posts_)
        if (post->takes_events)
            return post.get();
    return stream_.get();
}

void era_client::write(std::string_view line) {
    const auto body = parse_rpc(line);
    if (gone_ || body.messages.size() != 1)
        return;
    const auto& message = body.messages.front();
    auto* place = place_for(message);
    if (place && (place->takes_events || message.is_response())) {
        bytes_ += line.size();
        if (message.is_response())
            place->missing.erase(message.id);
        place->say(std::string(line));
    } else if (!message.is_response()) {
        keep(line);
    }
}

/// Of what nobody fetches the oldest goes: a list that has changed twice has changed.
void era_client::keep(std::string_view message) {
    if (message.size() > most_kept)
        return;
    waiting_.emplace_back(message);
    waiting_bytes_ += message.size();
    while (waiting_.size() > most_waiting || waiting_bytes_ > most_kept) {
        waiting_bytes_ -= waiting_.front().size();
        waiting_.pop_front();
    }
}

task<void> era_client::room() {
    while (full())
        co_await drained_.next();
}

void era_client::sent(std::size_t bytes) {
    bytes_ -= std::min(bytes, bytes_);
    drained_.tell();
}

void era_client::closed(const std::shared_ptr<open_answer>& post) {
    for (const auto& message : post->waiting)
        sent(message.size());
    std::erase(posts_, post);
    used = std::chrono::steady_clock::now();
}

bool era_client::open_stream(const std::shared_ptr<open_answer>& stream) {
    if (stream_ || gone_)
        return false;
    stream_ = stream;
    waiting_bytes_ = 0;
    for (auto& message : std::exchange(waiting_, {})) {
        bytes_ += message.size();
        stream_->say(std::move(message));
    }
    return true;
}

void era_client::end() {
    gone_ = true;
    if (behind)
        std::exchange(behind, nullptr)->drop_everything();
    for (const auto& post : posts_)
        post->timer.cancel();
    if (stream_)
        stream_->timer.cancel();
    drained_.tell();
}

} // namespace reauth
