// Set-up by OpenSSL calls, so that every failure can name its file and OpenSSL's reason.
#include "proxy/net/tls.hpp"

#include "conf/regular_file.hpp"
#include "core/base/releaser.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace reauth {

namespace {

constexpr auto tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view http11("\x08http/1.1", 9);

/// The oldest error in OpenSSL's queue is the cause; the queue is emptied.
std::string openssl_reason() {
    const unsigned long code = ERR_get_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    // system errors (no such file) have no reason string in OpenSSL 3
    std::string text = reason != nullptr        ? reason
                       : ERR_SYSTEM_ERROR(code) ? std::generic_category().message(ERR_GET_REASON(code))
                                                : "unknown reason";
    ERR_clear_error();
    return text;
}

failure file_failure(const std::string& what, const std::string& file) {
    return failure::permanent(fault::invalid_configuration,
                              "the " + what + " " + file + " cannot be used: " + openssl_reason(),
                              "give a readable PEM file");
}

/// OpenSSL opens whatever it is told, and would wait for a FIFO's other end.
result<void> is_regular(const std::string& what, const std::string& file) {
    const auto seen = read_regular_file(file, {4u << 20});
    if (seen)
        return {};
    return failure::permanent(fault::invalid_configuration, "the " + what + " " + file + " " + seen.trouble,
                              "give a readable PEM file");
}

result<void> use_certificate(SSL_CTX* context, const std::string& cert, const std::string& key) {
    for (const auto& [what, file] : {std::pair("TLS certificate", cert), std::pair("TLS key", key)})
        if (auto regular = is_regular(what, file); !regular)
            return regular.error();
    if (SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1)
        return file_failure("TLS certificate", cert);
    // an encrypted key must fail, not ask on the terminal
    SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
        return file_failure("TLS key", key);
    if (SSL_CTX_check_private_key(context) != 1)
        return failure::permanent(fault::invalid_configuration,
                                  "the TLS key " + key + " does not belong to the certificate " + cert +
                                      ": " + openssl_reason(),
                                  "configure the key the certificate was made for");
    return {};
}

result<void> harden(SSL_CTX* context) {
    SSL_CTX_set_options(context,
                        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // a long-lived idle stream should not keep 32 KiB of record buffers
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, tls12_ciphers) != 1)
        return failure::permanent(fault::internal, "OpenSSL refuses our TLS settings: " + openssl_reason());
    return {};
}

int pick_http11(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                unsigned length, void*) {
    auto* chosen = const_cast<unsigned char*>(*out);
    const auto* ours = reinterpret_cast<const unsigned char*>(http11.data());
    if (SSL_select_next_proto(&chosen, size, ours, http11.size(), offered, length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

std::string without_brackets(const std::string& host) {
    return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2)
                                                                        : host;
}

} // namespace

namespace {

/// Of a connection's data: that it was asked for a certificate.
int asked_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

/// OpenSSL asks for one on a server's behalf: there is none.
int note_wish(SSL* connection, X509**, EVP_PKEY**) {
    static char yes;
    SSL_set_ex_data(connection, asked_index(), &yes);
    return 0;
}

/// What OpenSSL was built for, else where other systems keep it: a program that brings an OpenSSL of its own
/// runs on them too.
bool use_system_trust(SSL_CTX* context) {
    constexpr std::array<const char*, 4> bundles{"/etc/ssl/certs/ca-certificates.crt",
                                                 "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                                 "/etc/ssl/cert.pem"};
    const auto there = [](const char* path) { return ::access(path, R_OK) == 0; };
    if (SSL_CTX_set_default_verify_paths(context) != 1)
        return false;
    if (::secure_getenv(X509_get_default_cert_file_env()) ||
        ::secure_getenv(X509_get_default_cert_dir_env()) || there(X509_get_default_cert_file()) ||
        there(X509_get_default_cert_dir()))
        return true;
    const auto found = std::find_if(bundles.begin(), bundles.end(), there);
    return found == bundles.end() || SSL_CTX_load_verify_file(context, *found) == 1;
}

} // namespace

bool wants_client_certificate(const SSL* connection) {
    return connection && SSL_get_ex_data(connection, asked_index());
}

result<std::shared_ptr<asio::ssl::context>> make_client_tls(const tls_client_config& settings) {
    ERR_clear_error();
    auto made = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX* context = made->native_handle();
    auto hard = harden(context);
    if (!hard)
        return hard.error();
    if (!use_system_trust(context))
        return failure::permanent(fault::invalid_configuration,
                                  "the system's trust store cannot be used: " + openssl_reason(),
                                  "install ca-certificates, or set `tls.ca_file`");
    ERR_clear_error();
    if (!settings.ca_file.empty())
        if (auto regular = is_regular("CA file", settings.ca_file); !regular)
            return regular.error();
    if (!settings.ca_file.empty() && SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) != 1)
        return file_failure("CA file", settings.ca_file);
    if (settings.cert.empty() != settings.key.empty())
        return failure::permanent(fault::invalid_configuration,
                                  "a TLS client certificate needs both `tls.cert` and `tls.key`",
                                  "set both or neither");
    if (!settings.cert.empty()) {
        auto used = use_certificate(context, settings.cert, settings.key);
        if (!used)
            return used.error();
    }
    if (settings.cert.empty())
        SSL_CTX_set_client_cert_cb(context, note_wish);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(http11.data()), http11.size());
    return made;
}

result<std::shared_ptr<asio::ssl::context>> make_server_tls(const tls_server_config& settings,
                                                            const std::string& client_ca_file) {
    ERR_clear_error();
    auto made = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX* context = made->native_handle();
    auto hard = harden(context);
    if (!hard)
        return hard.error();
    auto used = use_certificate(context, settings.cert, settings.key);
    if (!used)
        return used.error();
    SSL_CTX_set_alpn_select_cb(context, pick_http11, nullptr);
    if (client_ca_file.empty())
        return made;
    if (auto regular = is_regular("CA file", client_ca_file); !regular)
        return regular.error();
    if (SSL_CTX_load_verify_file(context, client_ca_file.c_str()) != 1)
        return file_failure("CA file", client_ca_file);
    if (auto* names = SSL_load_client_CA_file(client_ca_file.c_str()))
        SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    constexpr std::string_view ours = "mcp-reauth"; // a session that is resumed keeps its certificate
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(ours.data()), ours.size());
    return made;
}

namespace {

std::string text_of(const ASN1_STRING* from) {
    const auto size = ASN1_STRING_length(from);
    const std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(from)),
                           static_cast<std::size_t>(std::max(size, 0)));
    return text.find('\0') == text.npos ? text : std::string(); // one name in front of another
}

/// The only name of that kind.
std::string only_alternative(const GENERAL_NAMES* names, int kind) {
    const GENERAL_NAME* found = nullptr;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const auto* one = sk_GENERAL_NAME_value(names, i);
        if (one->type != kind)
            continue;
        if (found)
            return {};
        found = one;
    }
    return found ? text_of(found->d.ia5) : std::string();
}

std::string only_common_name(const X509* certificate) {
    auto* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return {};
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0)
        return {};
    const std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return text.find('\0') == text.npos ? text : std::string();
}

} // namespace

std::optional<shown_certificate> certificate_of_peer(const SSL* connection) {
    const std::unique_ptr<X509, releaser<X509_free>> certificate(
        connection ? SSL_get1_peer_certificate(connection) : nullptr);
    if (!certificate || SSL_get_verify_result(connection) != X509_V_OK)
        return std::nullopt;
    shown_certificate names;
    int days = 0, seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())) != 1)
        return std::nullopt;
    names.until =
        std::chrono::steady_clock::now() + std::chrono::hours(24) * days + std::chrono::seconds(seconds);
    const std::unique_ptr<GENERAL_NAMES, releaser<GENERAL_NAMES_free>> alternatives(
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
    if (alternatives) {
        names.uri = only_alternative(alternatives.get(), GEN_URI);
        names.email = only_alternative(alternatives.get(), GEN_EMAIL);
    }
    names.cn = only_common_name(certificate.get());
    return names;
}

result<void> expect_tls_peer(SSL* connection, const std::string& host) {
    auto name = without_brackets(host);
    if (!name.empty() && name.back() == '.')
        name.pop_back();
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(name, not_an_address);
    X509_VERIFY_PARAM* expected = SSL_get0_param(connection);
    // a common name is no host name (RFC 9110 §4.3.4)
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const bool set = not_an_address
                         ? !name.empty() && SSL_set_tlsext_host_name(connection, name.c_str()) == 1 &&
                               X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size()) == 1
                         : X509_VERIFY_PARAM_set1_ip_asc(expected, address.to_string().c_str()) == 1;
    if (!set)
        return failure::permanent(fault::internal,
                                  "TLS cannot be set up for the host \"" + host + "\": " + openssl_reason());
    return {};
}

std::string describe_tls_failure(const SSL* connection, const boost::system::error_code& error) {
    const long verdict = SSL_get_verify_result(connection);
    if (verdict != X509_V_OK)
        return std::string("its certificate is not trusted (") + X509_verify_cert_error_string(verdict) + ")";
    return error.message();
}

} // namespace reauth
