// From a parsed head to a request.
#include "proxy/net/service_reader.hpp"

namespace reauth {

received_request refused_head(const head_outcome& outcome) {
    const unsigned status = outcome.is == head_outcome::kind::too_large     ? 431
                            : outcome.is == head_outcome::kind::unsupported ? 501
                                                                            : 400;
    return received_request::refuse(status, outcome.reason);
}

received_request request_of_head(const request_head& head) {
    if (!head.target.starts_with('/'))
        return received_request::refuse(400, "the request target must be a path");
    received_request r;
    auto& request = r.request;
    for (const auto& field : head)
        request.headers.push_back({std::string(field.name), std::string(field.value)});
    request.method = head.method;
    request.target = head.target;
    const auto mark = request.target.find('?');
    request.path = request.target.substr(0, mark);
    request.query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
    r.old_version = head.minor_version == 0;
    r.keep_alive = head.keep_alive;
    return r;
}

} // namespace reauth
