// HTTP+SSE (MCP 2024-11-05): its stream begins with an `endpoint` event, which says where messages go.
// Through us that has to be a place of ours; it is signed, so that nobody reaches other paths of the upstream
// by it.
#pragma once

#include "core/base/secret.hpp"
#include "core/mcp/sse.hpp"
#include "proxy/relay/body_pump.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reauth {

/// Where an upstream's stream is, as both sides know it.
struct old_stream_place {
    std::string origin; ///< the upstream's
    std::string target; ///< of the stream there
    std::string prefix; ///< of the upstream's paths here
    secret key;         ///< what places are signed with, the same in every process
};

/// The place here for what the event says: absolute or relative. Nothing: it is none, or of another origin,
/// which is the client's to refuse.
std::optional<std::string> endpoint_here(const old_stream_place& stream, std::string_view told);

/// The upstream's own target for a path and query behind our prefix, as endpoint_here() has made it; nothing
/// for all else. `place` says where it belongs: origin and key count.
std::optional<std::string> endpoint_there(const old_stream_place& place, std::string_view rest,
                                          std::string_view query);

/// Replaces what the stream's first event says, and lets all the rest through.
class endpoint_rewriter {
public:
    explicit endpoint_rewriter(old_stream_place stream) : stream_(std::move(stream)) {}
    std::string feed(std::string_view payload);

private:
    const old_stream_place stream_;
    std::string held_;
    bool done_ = false;
};

/// The same as a filter. `chunked`: what it gives is framed (RFC 9112 §7.1).
class endpoint_filter final : public body_filter {
public:
    endpoint_filter(old_stream_place stream, bool chunked)
        : rewriter_(std::move(stream)), chunked_(chunked) {}
    result<std::string_view> pass(std::string_view payload) override;
    /// What ends a whole body.
    std::string_view end() const noexcept override { return chunked_ ? "0\r\n\r\n" : ""; }

private:
    endpoint_rewriter rewriter_;
    const bool chunked_;
    std::string now_;
};

} // namespace reauth
