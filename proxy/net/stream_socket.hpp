// A socket under a channel: what of it has been read, and the same for OpenSSL.
#pragma once

#include <openssl/bio.h>

#include <cstddef>

#include <sys/types.h>

namespace reauth {

/// Knows when the kernel has nothing more, so that nobody asks in vain: a read that got less than it had room
/// for has emptied the socket, unless the peer's end was told with it.
struct stream_socket {
    int fd;
    bool drained = false; ///< nothing is there until epoll says so
    bool ended = false;   ///< epoll has told of an end: each read asks the kernel

    /// As recv(2), errno included; EAGAIN without asking where it is drained.
    ssize_t read(void* bytes, std::size_t size) noexcept;
};

/// For SSL_set_bio: reads and writes as the socket does, which outlives it.
BIO* make_bio(stream_socket& socket);

} // namespace reauth
