// A map with an order of use, behind a mutex.
#include "proxy/relay/cookie_jars.hpp"

namespace reauth {

cookie_jars::entry* cookie_jars::find(const key& k) {
    const auto found = jars_.find(k);
    if (found == jars_.end())
        return nullptr;
    order_.splice(order_.begin(), order_, found->second.used);
    return &found->second;
}

std::string cookie_jars::line_for(std::uint64_t credential, const request_head& request,
                                  std::string_view path, time_point now) {
    const auto session = request.value(field_id::mcp_session_id);
    if (session.empty())
        return {};
    const auto value = header_for(credential, session, path, now);
    return value.empty() ? value : "Cookie: " + value + "\r\n";
}

void cookie_jars::learn(std::uint64_t credential, const request_head& request, const response_head& answer,
                        std::string_view host, std::string_view path, time_point now) {
    auto session = answer.value(field_id::mcp_session_id);
    if (session.empty())
        session = request.value(field_id::mcp_session_id);
    if (session.empty())
        return;
    if (request.method == "DELETE" && answer.status < 300) {
        forget(credential, session);
        return;
    }
    for (const auto& f : answer)
        if (f.id == field_id::set_cookie)
            take(credential, session, f.value, host, path, now);
}

std::string cookie_jars::header_for(std::uint64_t credential, std::string_view session, std::string_view path,
                                    time_point now) {
    const std::lock_guard lock(mutex_);
    const auto* e = find({credential, std::string(session)});
    return e ? e->jar.header_for(path, now) : std::string();
}

void cookie_jars::take(std::uint64_t credential, std::string_view session, std::string_view set_cookie,
                       std::string_view host, std::string_view path, time_point now) {
    const std::lock_guard lock(mutex_);
    const key k{credential, std::string(session)};
    auto* e = find(k);
    if (!e) {
        if (jars_.size() == most_sessions) {
            jars_.erase(order_.back());
            order_.pop_back();
        }
        order_.push_front(k);
        e = &jars_.emplace(k, entry{{}, order_.begin()}).first->second;
    }
    e->jar.take(set_cookie, host, path, now);
}

void cookie_jars::forget(std::uint64_t credential, std::string_view session) {
    const std::lock_guard lock(mutex_);
    const auto found = jars_.find({credential, std::string(session)});
    if (found == jars_.end())
        return;
    order_.erase(found->second.used);
    jars_.erase(found);
}

} // namespace reauth
