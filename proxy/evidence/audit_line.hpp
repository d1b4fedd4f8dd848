// The audit's lines (version 1): JSON objects, each with the hash of the line before it, some of them signed.
// Pure: docs/audit.md describes them.
#pragma once

#include "core/base/time_point.hpp"
#include "core/crypto/ed25519.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// What happened: `event` and its details in their order. No secret by type; values are cleaned where they
/// are written, empty ones left out.
struct audit_event {
    time_point at{};
    std::string
        event; ///< "start", "configuration", "recovery", "decision", "approval", "sign_in", "sign_out" …
    std::vector<std::pair<std::string, std::string>> details;
    bool sign = false; ///< at once: somebody answers for it
};

/// Where a chain stands.
struct audit_head {
    std::string log;       ///< the chain's name: made with its first line
    std::uint64_t seq = 0; ///< of the last line; 0: there is none
    std::string hash;      ///< SHA-256 of that line, hexadecimal

    /// LOG:SEQ:HASH
    std::string text() const;
    static std::optional<audit_head> parse(std::string_view text);
};

/// The next line of the chain, without its line feed; `head` is that line's afterwards. `process`: who writes
/// it. Signed where a key is given.
std::string audit_line(audit_head& head, const audit_event& what, const std::string& process,
                       const signing_key* key);

/// A line as it was read.
struct audit_entry {
    std::uint64_t seq = 0;
    std::string log, event, prev, hash; ///< hash: of the whole line
    std::string key, public_key;        ///< that it is signed with; that it introduces
    std::string signed_text, signature; ///< raw
};
/// Nothing: it is no such line, or cut.
std::optional<audit_entry> read_audit_line(std::string_view line);

} // namespace reauth
