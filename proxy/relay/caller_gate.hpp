// Who calls? A worker's answer: at once for whom it knows, after its token was verified for whom it does not.
#pragma once

#include "core/crypto/keyed_digest.hpp"
#include "core/http/http_head.hpp"
#include "core/oauth/caller_token.hpp"
#include "proxy/net/tls.hpp"
#include "proxy/relay/caller.hpp"
#include "proxy/relay/ended_identities.hpp"
#include "proxy/relay/issuer_keys.hpp"
#include "proxy/relay/routing.hpp"

#include <map>
#include <unordered_map>

namespace reauth {

/// What can be said of a request's caller.
struct caller_check {
    enum class kind {
        known,      ///< `who` calls
        verify,     ///< a token that is new here: verify() it with `entry`
        refused,    ///< nothing fits
        unavailable ///< … as far as can be known: the issuer's keys can't be had
    } is = kind::refused;
    caller_ptr who;
    std::size_t entry = 0;
    std::optional<token_fault> why; ///< refused: what is wrong with its token; nothing: none was shown
};

/// What verify() says.
struct verified_token {
    caller_ptr who;                 ///< null: refused
    std::optional<token_fault> why; ///< token_fault::key, keys: other keys may help
};

/// One worker's; its thread only. Whom it has seen it knows until the token ends, by a keyed digest; no lock
/// and no allocation for a known caller.
class caller_gate {
public:
    explicit caller_gate(const random_source& random) : digest_(random) {}

    /// Goes through config::client_auth from `entry` on.
    caller_check look(const request_head& head, const std::shared_ptr<const routing_table>& table,
                      const shown_certificate* certificate, const listener_identity& listener,
                      std::chrono::steady_clock::time_point now, std::size_t entry = 0);
    /// Verifies the bearer token of the head as that entry says.
    verified_token verify(const request_head& head, const std::shared_ptr<const routing_table>& table,
                          std::size_t entry, const issuer_keys& keys, time_point now);
    /// The keys that this worker has of an issuer; null: none.
    keys_ptr& keys(const issuer_place& where) { return keys_[where]; }
    /// Nobody is known under these numbers any more.
    void forget(const std::vector<std::uint32_t>& principals);
    /// Who was verified by a token of before is verified again, and then refused. Returns whom it concerns.
    std::vector<std::string> end(const identity_end& what);
    /// As it is at the start.
    void use(ended_ptr all) { ended_ = std::move(all); }
    std::size_t known() const noexcept { return known_.size(); }

private:
    struct known_caller {
        caller_ptr who;
        std::size_t entry = 0;
    };
    const caller_ptr* find(const keyed_digest::value& by, std::size_t entry,
                           std::chrono::steady_clock::time_point now);
    void remember(const keyed_digest::value& by, caller_ptr who, std::size_t entry,
                  const routing_table& table);
    caller_ptr by_word(std::string_view name, std::string_view groups, const routing_table& table,
                       std::size_t entry, std::chrono::steady_clock::time_point now);
    caller_ptr by_header(const request_head& head, const routing_table& table, std::size_t entry,
                         const listener_identity& listener, std::chrono::steady_clock::time_point now);

    keyed_digest digest_;
    std::unordered_map<keyed_digest::value, known_caller, keyed_digest::hash> known_;
    std::uint64_t known_for_ = 0; ///< routing_table::version
    std::map<issuer_place, keys_ptr> keys_;
    ended_ptr ended_; ///< null: nobody's has
};

/// The token of `Authorization: Bearer`; empty: none.
std::string_view bearer_of(const request_head& head) noexcept;
/// Where the keys of that entry's issuer are.
issuer_place place_of(const jwt_caller_config& from);

} // namespace reauth
