// recv and send, for us and for OpenSSL.
#include "proxy/net/stream_socket.hpp"

#include <cerrno>

#include <sys/socket.h>

namespace reauth {

ssize_t stream_socket::read(void* bytes, std::size_t size) noexcept {
    if (drained) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t n;
    do
        n = ::recv(fd, bytes, size, 0);
    while (n < 0 && errno == EINTR);
    const bool all = n > 0 ? static_cast<std::size_t>(n) < size : n < 0 && errno == EAGAIN;
    drained = all && !ended;
    return n;
}

namespace {

stream_socket& socket_of(BIO* bio) noexcept {
    return *static_cast<stream_socket*>(BIO_get_data(bio));
}

int read_bio(BIO* bio, char* bytes, int size) noexcept {
    BIO_clear_retry_flags(bio);
    const auto n = socket_of(bio).read(bytes, static_cast<std::size_t>(size));
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    if (n == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return static_cast<int>(n);
}

int write_bio(BIO* bio, const char* bytes, int size) noexcept {
    BIO_clear_retry_flags(bio);
    ssize_t n;
    do
        n = ::send(socket_of(bio).fd, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return static_cast<int>(n);
}

long control_bio(BIO* bio, int command, long, void*) noexcept {
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
    auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream_socket");
    BIO_meth_set_read(method, read_bio);
    BIO_meth_set_write(method, write_bio);
    BIO_meth_set_ctrl(method, control_bio);
    return method;
}

} // namespace

BIO* make_bio(stream_socket& socket) {
    static BIO_METHOD* const method = make_method();
    auto* bio = BIO_new(method);
    BIO_set_data(bio, &socket);
    BIO_set_init(bio, 1);
    return bio;
}

} // namespace reauth
