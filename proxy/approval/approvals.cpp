// The book of approvals: who waits, what was decided, and who wants to hear of it.
#include "proxy/approval/approvals.hpp"

#include <algorithm>

namespace reauth {
namespace {
constexpr auto kept_after_decision = std::chrono::hours(1);
constexpr auto attention = std::chrono::seconds(30);
} // namespace

task<bool> approval_actions::knows_flow(std::string) {
    co_return true;
}

task<result<revocation_report>> approval_actions::logout_idp(std::string identity_provider, std::string,
                                                             std::string) {
    co_return failure::permanent(fault::invalid_configuration, "no identity provider " + identity_provider);
}

task<result<revocation_report>> approval_actions::logout_all(std::string principal, std::string) {
    co_return failure::permanent(fault::invalid_configuration, "nothing is held for " + principal);
}

task<result<revocation_report>> approval_actions::end_identity(std::string principal, std::string) {
    co_return failure::permanent(fault::invalid_configuration, "nothing is held for " + principal);
}

task<result<void>> approval_actions::remember(std::string, std::string) {
    co_return failure::permanent(fault::invalid_configuration, "nothing is remembered here");
}

task<result<void>> approval_actions::revoke_rule(std::string id, std::string) {
    co_return failure::permanent(fault::invalid_configuration, "no rule " + id);
}

task<bool> approval_actions::keep_page_link(std::string, time_point) {
    co_return false;
}

task<bool> approval_actions::take_page_link(std::string) {
    co_return false;
}

void approvals::show(const approval& now) {
    auto& entry = by_id_[now.id];
    if (entry)
        *entry = now; // whoever looks at it sees the change
    else
        entry = std::make_shared<approval>(now);
    const auto shown = entry;
    const auto told = listeners_; // a listener may unsubscribe while it is told
    for (const auto& [id, tell] : told)
        tell(*shown);
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

std::string approvals::link(const approval& a) const {
    return public_url_ + "/a/" + std::string(a.link_secret.reveal());
}

void approvals::look(const std::string& id, time_point now) {
    const bool begins = !attended(id, now);
    looked_at_[id] = now;
    if (begins && tell_look_)
        tell_look_(id);
}

bool approvals::attended(const std::string& id, time_point now) const {
    const auto found = looked_at_.find(id);
    return found != looked_at_.end() && now < found->second + attention;
}

void approvals::forget_old(time_point now) {
    std::erase_if(looked_at_, [&](const auto& entry) { return now >= entry.second + attention; });
    for (auto at = by_id_.begin(); at != by_id_.end();) {
        const auto& [id, a] = *at;
        if (!decided(a->status)) {
            ++at;
            continue;
        }
        const auto since = decided_since_.emplace(id, now).first->second;
        if (now - since < kept_after_decision) {
            ++at;
            continue;
        }
        decided_since_.erase(id);
        at = by_id_.erase(at);
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
