// The book of approvals: who waits, what was decided, and who wants to hear of it.
#include "proxy/approval/approvals.hpp"

#include <algorithm>

namespace reauth {
namespace {
constexpr auto kept_after_decision = std::chrono::hours(1);
}

std::string_view to_string(approval_kind k) noexcept {
    switch (k) {
    case approval_kind::login:
        return "login";
    case approval_kind::step_up:
        return "step_up";
    case approval_kind::idp_login:
        return "idp_login";
    }
    return "login";
}

std::string_view to_string(approval_status s) noexcept {
    switch (s) {
    case approval_status::pending:
        return "pending";
    case approval_status::authorizing:
        return "authorizing";
    case approval_status::approved:
        return "approved";
    case approval_status::denied:
        return "denied";
    case approval_status::expired:
        return "expired";
    case approval_status::failed:
        return "failed";
    }
    return "failed";
}

bool decided(approval_status s) noexcept {
    return s != approval_status::pending && s != approval_status::authorizing;
}

task<result<void>> approval_actions::logout_idp(std::string identity_provider, std::string) {
    co_return failure{fault::invalid_configuration, "no identity provider " + identity_provider, "", "",
                      false};
}

std::shared_ptr<approval> approvals::open(approval question) {
    auto a = std::make_shared<approval>(std::move(question));
    by_id_[a->id] = a;
    const auto told = listeners_; // a listener may unsubscribe while it is told
    for (const auto& [id, tell] : told)
        tell(*a);
    return a;
}

std::shared_ptr<approval> approvals::find(const std::string& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

std::shared_ptr<approval> approvals::find_by_link(std::string_view link_secret) const {
    std::shared_ptr<approval> match;
    for (const auto& [id, a] : by_id_)
        if (!a->link_secret.empty() && a->link_secret.equals(link_secret))
            match = a;
    return match;
}

std::vector<std::shared_ptr<approval>> approvals::waiting() const {
    std::vector<std::shared_ptr<approval>> all;
    for (const auto& [id, a] : by_id_)
        if (!decided(a->status))
            all.push_back(a);
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& x, const auto& y) { return x->created_at < y->created_at; });
    return all;
}

void approvals::update(const std::shared_ptr<approval>& a, approval_status status, std::string outcome) {
    if (decided(a->status))
        return;
    a->status = status;
    a->outcome = std::move(outcome);
    const auto told = listeners_;
    for (const auto& [id, tell] : told)
        tell(*a);
}

std::string approvals::link(const approval& a) const {
    return public_url_ + "/a/" + std::string(a.link_secret.reveal());
}

void approvals::expire(time_point now) {
    std::vector<std::shared_ptr<approval>> late;
    for (auto at = by_id_.begin(); at != by_id_.end();) {
        auto& a = *at->second;
        if (!decided(a.status)) {
            if (a.expires_at <= now)
                late.push_back(at->second);
        } else if (!a.settled_at) {
            a.settled_at = now;
        } else if (now - *a.settled_at >= kept_after_decision) {
            at = by_id_.erase(at);
            continue;
        }
        ++at;
    }
    for (const auto& a : late) {
        a->settled_at = now;
        update(a, approval_status::expired, "Nobody decided in time. The next request asks again.");
    }
}

std::uint64_t approvals::subscribe(listener l) {
    listeners_[next_listener_] = std::move(l);
    return next_listener_++;
}

void approvals::unsubscribe(std::uint64_t id) {
    listeners_.erase(id);
}

} // namespace reauth
