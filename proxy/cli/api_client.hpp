// The command line's way to the running proxy: a small blocking client of the approval API.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"
#include "core/http/http_message.hpp"
#include "proxy/net/http_options.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace reauth {

/// Talks to the approval listener with the operator token, which is sent only on a connection whose other end
/// has proved that it knows the token already (proxy/approval/operator_proof). Every call blocks until it is
/// answered or its time is over.
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

    /// Follows /api/events until the proxy ends or `on_event` says false: it sees each event's name and data.
    result<void>
    follow(const std::function<bool(const std::string& name, const nlohmann::json& data)>& on_event) const;

private:
    /// One way to the listener.
    struct route {
        std::string origin; ///< scheme://host:port to connect to
        std::string host_header;
    };
    api_client() = default;
    result<nlohmann::json> call(const std::string& method, const std::string& path,
                                const std::string& body) const;
    http_request request_for(const route& way, const std::string& method, const std::string& path) const;
    http_options options_for(const route& way) const;

    std::vector<route> routes_; ///< the listener itself, then its public URL
    secret token_;
};

/// A path segment, percent-encoded: ids and names come from the command line.
std::string path_segment(std::string_view text);

} // namespace reauth
