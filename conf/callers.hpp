// Who may call, as `client_auth` says: clients with a bearer of their own, and open sets of people whom
// somebody else vouches for.
#pragma once

#include "core/base/secret.hpp"
#include "core/oauth/scope.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace reauth {

/// What shows whose request it is.
enum class caller_proof {
    bearer, ///< a token of our own, for one principal
    jwt,    ///< a token of the company's identity provider (RFC 9068, or an ID token)
    mtls,   ///< a client certificate
    header, ///< the word of a gateway in front of us
};

/// `client_auth[].jwt`: tokens that an issuer signs for us.
struct jwt_caller_config {
    std::string issuer;                ///< exact (RFC 8414, OpenID Connect Discovery)
    std::vector<std::string> audience; ///< `aud` must hold one of them
    std::string jwks_uri;              ///< empty: what the issuer's metadata names
    std::vector<std::string> algorithms{"RS256", "ES256", "EdDSA"};
    std::string principal = "sub";            ///< the claim that names the caller
    std::string groups = "groups";            ///< … and the one that holds its groups
    scope_set scopes;                         ///< a token must have all of them
    std::chrono::milliseconds leeway{30'000}; ///< how far clocks may differ
    std::string ca_file; ///< PEM file that is trusted for its metadata and keys; empty: the system's
};

/// Which name of a certificate is the caller's.
enum class certificate_name {
    uri,  ///< the one URI of its subjectAltName: a SPIFFE ID
    cn,   ///< the common name of its subject
    email ///< the one address of its subjectAltName
};

/// `client_auth[].mtls`: client certificates on `listen`, which needs `tls`.
struct mtls_caller_config {
    std::string ca_file; ///< PEM file with the authorities
    certificate_name principal = certificate_name::uri;
};

/// `client_auth[].header`: a gateway in front has authenticated, and says whom.
struct header_caller_config {
    std::string name;   ///< the field with the caller's name
    std::string groups; ///< … with its groups, separated by commas; empty: none
    std::string
        secret_name; ///< the field that shows it is the gateway; empty: believed over a Unix socket only
    secret secret_value;
};

/// One entry of `client_auth`.
struct client_auth_entry {
    caller_proof proof = caller_proof::bearer;
    std::string principal = "local"; ///< of a bearer: whose credentials are used
    secret bearer;                   ///< what it presents to us (RFC 6750)
    /// Of the others: what their principals' names begin with, NAME/SUBJECT.
    std::string name;
    jwt_caller_config jwt;
    mtls_caller_config mtls;
    header_caller_config header;

    /// Whoever is vouched for, beside one principal that is named here.
    bool open() const noexcept { return proof != caller_proof::bearer; }
};

/// The name of a principal from outside: NAME/SUBJECT, with every byte of the subject percent-encoded that is
/// no letter, digit or one of `-._~@+:/`, so that no two share a name, and it can stand in a path, a header
/// or a label.
std::string principal_name(std::string_view entry, std::string_view subject);

/// Whether that can be the name of somebody who calls.
bool may_call(const std::vector<client_auth_entry>& entries, std::string_view principal);
/// The entry that vouches for that principal, if it is from outside; else null.
const client_auth_entry* entry_for(const std::vector<client_auth_entry>& entries, std::string_view principal);
/// Whether any entry is of that kind.
bool takes(const std::vector<client_auth_entry>& entries, caller_proof proof);

} // namespace reauth
