// TLS contexts: ours as a client (system trust store and more) and as a server. TLS 1.2 and up, nothing weak.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"

#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace reauth {

namespace asio = boost::asio;

/// A context that verifies servers against the system's trust store and, if given, `ca_file`, and presents
/// the client certificate if one is given. ALPN offers http/1.1. fault::invalid_configuration names the file
/// and the reason.
result<std::shared_ptr<asio::ssl::context>> make_client_tls(const tls_client_config& settings);

/// A context for a listener with this certificate chain and key (PEM). ALPN picks http/1.1 where it is
/// offered. With `client_ca_file` clients are asked for a certificate, and one that is not of these
/// authorities ends the handshake; they need show none. fault::invalid_configuration names the file and the
/// reason.
result<std::shared_ptr<asio::ssl::context>> make_server_tls(const tls_server_config& settings,
                                                            const std::string& client_ca_file = {});

/// The names of a client's certificate; each empty where there is none, or more than one.
struct shown_certificate {
    std::string uri;                             ///< of its subjectAltName: a SPIFFE ID
    std::string cn;                              ///< of its subject
    std::string email;                           ///< of its subjectAltName
    std::chrono::steady_clock::time_point until; ///< its notAfter
};
/// Of a handshake that has ended well: nothing where the client has shown no certificate.
std::optional<shown_certificate> certificate_of_peer(const SSL* connection);

/// Makes one connection expect `host` (a DNS name, or an IP address with or without brackets): sets SNI for
/// names (RFC 6066 §3) and the name that the certificate must be for (RFC 9525). Call it before the
/// handshake.
result<void> expect_tls_peer(SSL* connection, const std::string& host);

/// The peer has asked this client connection for a certificate, and none is configured.
bool wants_client_certificate(const SSL* connection);

/// What helps then.
inline constexpr std::string_view client_certificate_advice =
    "it asks for a client certificate (mutual TLS): set `tls: {cert: …, key: …}` for the upstream";

/// Why the last handshake on `connection` failed, for a person: the verification error if there was one.
std::string describe_tls_failure(const SSL* connection, const boost::system::error_code& error);

} // namespace reauth
