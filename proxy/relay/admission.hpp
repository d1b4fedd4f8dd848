// May this request come in? Host, Origin and Sec-Fetch-Site (MCP transport security). Who calls is the matter
// of caller_gate.
#pragma once

#include "core/http/http_head.hpp"
#include "proxy/relay/routing.hpp"

namespace reauth {

/// The outcome: nothing, or a status with one sentence.
struct admission {
    unsigned status = 0; ///< 0: come in
    const char* reason = "";
};

/// Whether a Host names a listener of ours: its own host and port, on loopback any
/// name of it, bound to every address any address literal (rebinding needs a name), or what is allowed.
bool names_us(std::string_view authority, const std::vector<std::string>& allowed_hosts, bool tls,
              const listener_identity& listener) noexcept;

/// Checks a head against DNS rebinding (Host) and cross-site requests (Origin, Sec-Fetch-Site).
admission admit(const request_head& head, const config& settings, const listener_identity& listener);

} // namespace reauth
