// HTTP/1.1 heads: one strict pass over the bytes into views, and the head to send on. RFC 9112, with every
// framing doubt refused.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace reauth {

/// The field names that something is decided by; everything else is `other` and passes.
enum class field_id : std::uint8_t {
    other,
    accept,
    accept_encoding,
    authorization,
    cache_control,
    connection,
    content_length,
    content_type,
    cookie,
    dpop,
    dpop_nonce,
    expect,
    host,
    http2_settings,
    keep_alive,
    last_event_id,
    location,
    mcp_protocol_version,
    mcp_session_id,
    origin,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    retry_after,
    sec_fetch_site,
    set_cookie,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    www_authenticate,
};

/// One field line; views into the buffer that was parsed.
struct head_field {
    std::string_view name;
    std::string_view value; ///< without surrounding white space
    std::string_view line;  ///< the whole line with its CRLF
    field_id id = field_id::other;
    bool nominated = false; ///< named by a Connection field: hop-by-hop
};

/// The fields of a head: room for the usual few in place, for the rest on the heap, where they come.
class field_list {
public:
    static constexpr std::size_t usual = 32;

    head_field* data() noexcept { return more_ ? more_.get() : few_.data(); }
    const head_field* data() const noexcept { return more_ ? more_.get() : few_.data(); }
    head_field& operator[](std::size_t i) noexcept { return data()[i]; }
    const head_field& operator[](std::size_t i) const noexcept { return data()[i]; }
    /// Room for `most`; what is there stays.
    void grow(std::size_t most);
    bool grown() const noexcept { return more_ != nullptr; }
    /// Back to the usual room; what is there is forgotten.
    void shrink() noexcept { more_.reset(); }

private:
    std::array<head_field, usual> few_;
    std::unique_ptr<head_field[]> more_;
};

/// How the body is delimited.
enum class body_framing : std::uint8_t { none, sized, chunked, until_close };

/// What both kinds of head have in common.
struct message_head {
    static constexpr std::size_t max_fields = 128;

    unsigned minor_version = 1; ///< HTTP/1.x
    body_framing framing = body_framing::none;
    std::uint64_t content_length = 0; ///< for sized
    bool keep_alive = true;           ///< the sender wants to keep the connection
    std::size_t size = 0;             ///< bytes of the head, the empty line included
    std::size_t field_count = 0;
    field_list fields;

    const head_field* begin() const noexcept { return fields.data(); }
    const head_field* end() const noexcept { return fields.data() + field_count; }
    /// The first field of that kind, or nullptr.
    const head_field* find(field_id id) const noexcept;
    /// Its value, or an empty view.
    std::string_view value(field_id id) const noexcept;
};

struct request_head : message_head {
    std::string_view method;
    std::string_view target; ///< origin form or `*`, as sent
};

struct response_head : message_head {
    unsigned status = 0;
    std::string_view status_line_rest; ///< "200 OK": from the status on, without CRLF
};

/// The outcome of a parse: `reason` is set for `bad` and says in one phrase what is wrong.
struct head_outcome {
    enum class kind : std::uint8_t {
        complete,
        incomplete,
        bad,
        unsupported, ///< bad, for a transfer coding that nobody here understands (RFC 9112 §6.1: 501)
        too_large,
    } is = kind::incomplete;
    const char* reason = "";
};

/// Longest head that is accepted, in bytes.
inline constexpr std::size_t max_head_size = 64 * 1024;

/// Parses a request head (RFC 9112 §3, §5, §6). Refused: bare LF, folding, white space before the colon,
/// control characters, absolute-form or authority-form targets, a repeated Host, a missing one in HTTP/1.1, a
/// repeated Authorization, a repeated or malformed Content-Length, any Transfer-Encoding but one `chunked`,
/// both of them, and chunked in HTTP/1.0.
head_outcome parse_request_head(std::string_view bytes, request_head& head) noexcept;

/// Parses a response head as strictly. `to_head_request`: the answer has no body whatever its fields say.
head_outcome parse_response_head(std::string_view bytes, bool to_head_request, response_head& head) noexcept;

/// True for fields that concern one hop only (RFC 9110 §7.6.1), Transfer-Encoding not included: framing is
/// kept.
bool hop_by_hop(const head_field& field) noexcept;

/// How a request head is to be sent on.
struct request_rewrite {
    std::string_view target;         ///< the upstream's own path and query
    std::string_view host;           ///< its Host value
    std::string_view credential;     ///< whole Authorization line(s), each with CRLF; empty: none
    std::string_view injected;       ///< further whole lines to add (configured headers)
    bool keep_authorization = false; ///< policy `pass`
    bool keep_cookies = false;
    bool identity_encoding = false; ///< replace Accept-Encoding by identity
    std::string_view replaced; ///< configured header names that win over the client's: ",a,b," in lower case
};

/// Appends the head to send to the upstream.
void write_request_head(const request_head& head, const request_rewrite& rewrite, std::string& out);

/// How a response head is to be sent on.
struct response_rewrite {
    bool keep_challenge = false; ///< policy `pass`: WWW-Authenticate goes through
    bool keep_cookies = false;
    bool close = false;                  ///< add Connection: close
    bool drop_transfer_encoding = false; ///< for an HTTP/1.0 client
};

/// Appends the head to send to the client, with `Cache-Control: private` where it has none.
void write_response_head(const response_head& head, const response_rewrite& rewrite, std::string& out);

/// What `Keep-Alive: timeout=N` says, in seconds (at least 1); 0 if it says nothing.
unsigned keep_alive_timeout(const response_head& head) noexcept;

} // namespace reauth
