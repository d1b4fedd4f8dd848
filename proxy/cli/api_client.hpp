// The command line's way to the running proxy: a small blocking client of the approval API.
#pragma once

#include "conf/config.hpp"
#include "core/failure.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace reauth {

/// Talks to the approval listener with the operator token. Every call blocks until it is answered or its time
/// is over.
class api_client {
public:
    /// fault::invalid_configuration if there is no operator token yet: then no proxy has run with this
    /// configuration.
    static result<api_client> make(const config& c);

    /// The JSON of a 2xx answer. fault::upstream_unreachable if nothing listens; else what the API says is
    /// wrong.
    result<nlohmann::json> get(const std::string& path) const;
    result<nlohmann::json> post(const std::string& path,
                                const nlohmann::json& body = nlohmann::json::object()) const;

private:
    /// One way to the listener.
    struct route {
        bool tls = false;
        std::string connect_host, host_header;
        std::uint16_t port = 0;
    };
    api_client() = default;
    result<nlohmann::json> call(const std::string& method, const std::string& path,
                                const std::string& body) const;

    std::vector<route> routes_; ///< the listener itself, then its public URL
    tls_client_config trust_;
    secret token_;
    std::chrono::milliseconds timeout_{90'000};

    friend struct api_exchange;
};

/// A path segment, percent-encoded: ids and names come from the command line.
std::string path_segment(std::string_view text);

} // namespace reauth
