// Small things the demo's servers share: opaque tokens, form fields, a gate that holds answers back.
#pragma once

#include "proxy/net/http_service.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reauth {

/// `bytes` random bytes as base64url.
std::string demo_random(std::size_t bytes = 32);
/// Decoded form or query fields; of a repeated name the first wins. Malformed text gives no fields.
std::map<std::string, std::string> demo_fields(std::string_view text);
/// `name` of `fields`, or an empty string.
std::string demo_field(const std::map<std::string, std::string>& fields, const std::string& name);
/// application/x-www-form-urlencoded text of these fields, in order.
std::string demo_form(const std::vector<std::pair<std::string, std::string>>& fields);
/// `url` with these query parameters appended.
std::string demo_with_query(const std::string& url,
                            const std::vector<std::pair<std::string, std::string>>& fields);
/// Text made safe for HTML elements and quoted attributes.
std::string demo_html(std::string_view text);
/// Id and secret of a Basic authorization (RFC 6749 §2.3.1: form-decoded after base64), or two empty strings.
std::pair<std::string, std::string> demo_basic(std::string_view authorization);

/// A JSON answer that no cache keeps.
service_response demo_json(unsigned status, const nlohmann::json& body);

/// A timer on our executor type.
/// A door on one executor: closed, whoever comes waits; opened, all go on. open() and close() may be called
/// from any thread, pass() only from coroutines of the executor.
class demo_gate {
public:
    explicit demo_gate(executor ex) : ex_(ex) {}
    void close();
    void open();
    /// How many wait now.
    std::size_t waiting() const;
    task<void> pass();

private:
    executor ex_;
    mutable std::mutex mutex_;
    bool closed_ = false;
    std::vector<std::shared_ptr<loop_timer>> sleepers_;
};

} // namespace reauth
