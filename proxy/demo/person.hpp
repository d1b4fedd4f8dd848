// The person of the demo: sees an approval, approves it, and goes through the provider's pages as a browser
// would.
#pragma once

#include "core/base/secret.hpp"
#include "proxy/demo/http_client.hpp"
#include "proxy/demo/narrator.hpp"

#include <atomic>
#include <set>
#include <string>
#include <thread>

namespace reauth {

/// Opens `location`, presses the button of the demo's consent page where one comes, follows redirects, and
/// gives the last page.
result<http_response> demo_browse(std::string location);

/// Watches the approval API until it is stopped.
class demo_person {
public:
    /// `approves`: decides by itself; else it only says where a real person has to go.
    demo_person(std::string approval_url, std::string operator_token, demo_narrator& narrator, bool approves);
    ~demo_person();
    demo_person(const demo_person&) = delete;
    void stop();

    unsigned approved() const { return approved_; } ///< approvals that went through to the end
    unsigned failed() const { return failed_; }     ///< those that did not

private:
    void watch();
    void decide(const nlohmann::json& approval);

    std::string url_, token_;
    demo_narrator& narrator_;
    bool approves_;
    std::set<std::string> seen_;
    std::atomic<unsigned> approved_{0}, failed_{0};
    std::atomic<bool> stopped_{false};
    std::thread thread_;
};

} // namespace reauth
