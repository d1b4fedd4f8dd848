// The note that a running proxy leaves in the state directory, so that the command line finds it without
// being told where it is.
#pragma once

#include "conf/config.hpp"
#include "core/base/failure.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace reauth {

/// One running proxy. Nothing of it is a secret; the file is readable by its user alone all the same.
struct live_proxy {
    struct served {
        std::string name, url, path;
    };
    int pid = 0;
    std::uint64_t started = 0; ///< clock ticks since boot: a pid that is used again has another
    std::string config;        ///< absolute; empty: `serve URL`, or the demo
    std::string listen, approval_listen, approval_url;
    std::string state_directory; ///< where its operator token is
    bool tls = false, approval_tls = false, client_auth = false;
    bool stdio = false;          ///< it serves the one client that has started it
    std::uint16_t neighbour = 0; ///< where the holder of the approval address asks it; 0: nowhere
    std::vector<served> upstreams;
};

/// What there is to tell about this process, with the ports that were bound.
live_proxy describe_running(const config& settings, std::uint16_t listen_port, std::uint16_t approval_port);

/// Where such notes are left: this user's own state directory, whatever the configuration says.
std::string note_directory(const config& settings);

/// DIRECTORY/running/PID.json, for as long as it lives. Files of processes that are gone are swept.
class running_file {
public:
    running_file() = default;
    ~running_file();
    running_file(const running_file&) = delete;
    /// A failure is no reason not to serve: it says what the command line will not find.
    result<void> write(const std::string& directory, const live_proxy& about);

private:
    std::string path_;
};

/// Those in that state directory whose process is alive, oldest first.
std::vector<live_proxy> live_proxies(const std::string& directory);

} // namespace reauth
