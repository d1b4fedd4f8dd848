// Self-signed certificates for tests that speak TLS, made anew each time.
#pragma once

#include "tests/unit/proxy/vault_fixture.hpp"

#include "tests/support/catch.hpp"
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <functional>
#include <string>

namespace reauth::test {

/// A self-signed certificate for `names` (subjectAltName syntax of OpenSSL) and its key, as PEM files.
struct certificate_files {
    std::string cert, key;

    certificate_files(const scratch_directory& where, const std::string& stem, const std::string& names,
                      const std::string& common_name = "mcp-reauth test")
        : certificate_files(where.file(stem), names, common_name) {}
    /// `path`: of both files, without the ending. Empty `names`: the certificate has none.
    certificate_files(const std::string& path, const std::string& names,
                      const std::string& common_name = "mcp-reauth test")
        : cert(path + ".pem"), key(path + ".key") {
        EVP_PKEY* pair = EVP_EC_gen("P-256");
        X509* made = X509_new();
        X509_set_version(made, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
        X509_gmtime_adj(X509_getm_notBefore(made), -3600);
        X509_gmtime_adj(X509_getm_notAfter(made), 3600);
        X509_NAME* name = X509_get_subject_name(made);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
        X509_set_issuer_name(made, name);
        X509_set_pubkey(made, pair);
        if (!names.empty())
            add(made, NID_subject_alt_name, names);
        add(made, NID_basic_constraints, "critical,CA:TRUE");
        X509_sign(made, pair, EVP_sha256());
        write(cert, [&](BIO* out) { PEM_write_bio_X509(out, made); });
        write(key,
              [&](BIO* out) { PEM_write_bio_PrivateKey(out, pair, nullptr, nullptr, 0, nullptr, nullptr); });
        X509_free(made);
        EVP_PKEY_free(pair);
    }

private:
    static void add(X509* to, int kind, const std::string& value) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
        REQUIRE(extension != nullptr);
        X509_add_ext(to, extension, -1);
        X509_EXTENSION_free(extension);
    }
    static void write(const std::string& path, const std::function<void(BIO*)>& content) {
        BIO* out = BIO_new_file(path.c_str(), "w");
        REQUIRE(out != nullptr);
        content(out);
        BIO_free(out);
    }
};

} // namespace reauth::test
