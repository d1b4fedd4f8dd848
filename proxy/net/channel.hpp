// A connected stream (TCP, Unix, optionally TLS) for the data path: non-blocking reads and writes, and waits
// that cost neither memory nor a system call.
#pragma once

#include "proxy/net/wakeup.hpp"

#include <openssl/ssl.h>

#include <cstddef>
#include <utility>

struct iovec;

namespace reauth {

/// Outcome of one non-blocking read or write.
struct io_result {
    enum class kind : unsigned char {
        ok,         ///< `n` bytes went over
        again_read, ///< wait for readable, then call again
        again_write,
        eof, ///< the peer ended its side properly
        cut, ///< reset, TLS truncation or another error
    } is = kind::ok;
    std::size_t n = 0;
};

/// Owns a descriptor that its loop watches, edge-triggered, for life. A read that got less than it had room
/// for has emptied the socket, unless the peer's end was told with it: then the kernel is asked again. Use on
/// the thread of its loop only; at most one waiter a direction.
class channel {
public:
    enum side : unsigned char { reading = 0, writing = 1 };
    using callback = void (*)(void*);

    channel() = default;
    /// Takes over a connected socket; makes it non-blocking and sets TCP_NODELAY where it applies.
    channel(event_loop& loop, int descriptor);
    channel(channel&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    channel& operator=(channel&& other) noexcept;
    ~channel() { close(); }

    bool is_open() const noexcept { return core_ != nullptr; }
    /// A peer that a silent network has taken away is noticed within a minute or so (SO_KEEPALIVE,
    /// TCP_USER_TIMEOUT): whoever waits for it sees the connection cut.
    void notice_silence() noexcept;
    /// Turns TLS on; the handshake follows with handshake().
    void start_tls(SSL_CTX* context, bool as_server);
    SSL* tls() const noexcept;

    /// One step of the TLS handshake: ok when finished.
    io_result handshake();
    io_result read(void* data, std::size_t size);
    /// The next read asks the kernel, although the last one said that nothing is left: a reset that came with
    /// the last bytes used up their edge. Before more of an answer is waited for.
    void look_again() noexcept;
    /// Whether a read would give anything (bytes, an end, an error); takes nothing.
    bool has_input() noexcept;
    /// Plain: one sendmsg. TLS: the buffers one after the other (join small ones first: one record each).
    io_result write(const iovec* buffers, int count);

    /// Suspends until the side is ready, or interrupt() is called. Spurious wake-ups happen.
    waiting_place::wait wait(side s);
    waiting_place::wait wait(io_result::kind again) {
        return wait(again == io_result::kind::again_write ? writing : reading);
    }
    /// Calls back once, at the next readiness for reading, unless unwatch() comes first.
    void watch(callback f, void* argument);
    void unwatch() noexcept;
    /// Wakes whoever waits, and makes further waits return at once until clear_interrupt().
    void interrupt();
    void clear_interrupt() noexcept;
    bool interrupted() const noexcept;

    /// Call when the connection goes idle: from now on an event is noticed without a system call.
    void park();
    /// After park(): false if the peer has sent something or gone (RFC 9112 §9.3: neither is wanted on an
    /// idle connection).
    bool usable() noexcept;
    /// Orderly end of our side (TLS close_notify, FIN); the channel stays readable.
    void shutdown_write() noexcept;
    /// Ends the connection so that the peer sees a reset rather than an end.
    void reset() noexcept;
    void close() noexcept;

private:
    struct core;
    core* core_ = nullptr;
};

} // namespace reauth
