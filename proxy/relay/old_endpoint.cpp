// The place, its signature, and the one event that is rewritten.
#include "proxy/relay/old_endpoint.hpp"

#include "core/crypto/digest.hpp"
#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"
#include "core/text/encoding.hpp"
#include "core/text/uri.hpp"
#include "proxy/relay/client_answer.hpp"
#include "proxy/relay/routing.hpp"

namespace reauth {
namespace {

constexpr std::string_view mark = "/.endpoint/";
constexpr std::size_t longest_first_event = 64 * 1024;

std::string signature(const old_stream_place& place, std::string_view target) {
    return hex_encode(hmac_sha256(place.key.reveal(), place.origin + std::string(target))).substr(0, 32);
}

} // namespace

std::optional<std::string> endpoint_here(const old_stream_place& stream, std::string_view told) {
    const auto to = resolve_reference(stream.origin + stream.target, trim_space(told));
    if (!to || !same_origin(stream.origin, to->origin()) || !valid_target(to->target()) ||
        unsafe_path(to->target()))
        return std::nullopt;
    const auto target = to->target();
    return stream.prefix + std::string(mark) + signature(stream, target) + target;
}

std::optional<std::string> endpoint_there(const old_stream_place& place, std::string_view rest,
                                          std::string_view query) {
    if (!rest.starts_with(mark))
        return std::nullopt;
    rest.remove_prefix(mark.size());
    const auto slash = rest.find('/');
    if (slash == rest.npos)
        return std::nullopt;
    auto target = std::string(rest.substr(slash)).append(query);
    const secret expected(signature(place, target));
    if (!expected.equals(rest.substr(0, slash)))
        return std::nullopt;
    return target;
}

namespace {

/// Whole lines at the beginning that belong to no event: comments, and empty ones. They must not wait, since
/// they keep the connection alive.
std::size_t harmless(std::string_view text) {
    std::size_t upto = 0;
    while (upto < text.size()) {
        const auto end = text.find('\n', upto);
        if (end == text.npos || (text[upto] != ':' && text[upto] != '\n' && text[upto] != '\r'))
            break;
        upto = end + 1;
    }
    return upto;
}

} // namespace

std::string endpoint_rewriter::feed(std::string_view payload) {
    if (done_)
        return std::string(payload);
    held_ += payload;
    std::string out;
    while (!done_) {
        const auto free = harmless(held_);
        out.append(held_, 0, free);
        held_.erase(0, free);
        event_reader reader;
        const auto events = reader.feed(held_);
        if (events.empty() && held_.size() <= longest_first_event)
            return out;
        done_ = events.empty() || !events.front().data.empty();
        if (!done_) { // an id, or when to come back
            out += events.front().text;
            held_.erase(0, events.front().text.size());
            continue;
        }
        const auto here = !events.empty() && events.front().name == "endpoint"
                              ? endpoint_here(stream_, events.front().data)
                              : std::nullopt;
        if (here)
            held_.replace(0, events.front().text.size(), "event: endpoint\ndata: " + *here + "\n\n");
    }
    return out + std::exchange(held_, {});
}

result<std::string_view> endpoint_filter::pass(std::string_view payload) {
    now_ = rewriter_.feed(payload);
    if (chunked_ && !now_.empty())
        now_ = in_chunk(now_);
    return std::string_view(now_);
}

} // namespace reauth
