// Answers that several API routes give; internal to the approval listener.
#pragma once

#include "proxy/approval/listener_impl.hpp"

namespace reauth {

/// The error object of the API.
nlohmann::json error_body(std::string_view code, std::string_view message, std::string_view fix = {});
/// With the status that fits it.
service_response failure_answer(const failure& f);
service_response not_found(std::string_view message, std::string_view fix = {});

} // namespace reauth
