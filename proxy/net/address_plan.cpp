// Order and times.
#include "proxy/net/address_plan.hpp"

#include <algorithm>

namespace reauth {

std::string in_brackets(const boost::asio::ip::address& a) {
    return a.is_v6() ? "[" + a.to_string() + "]" : a.to_string();
}

std::vector<boost::asio::ip::address> plan_addresses(std::vector<boost::asio::ip::address> found,
                                                     bool ipv4_only) {
    std::vector<boost::asio::ip::address> first, second;
    for (const auto& address : found)
        (address.is_v4() == found.front().is_v4() ? first : second).push_back(address);
    if (ipv4_only && !first.empty() && !second.empty())
        return first.front().is_v4() ? first : second;
    std::vector<boost::asio::ip::address> order;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size())
            order.push_back(first[i]);
        if (i < second.size())
            order.push_back(second[i]);
    }
    return order;
}

std::optional<std::size_t> connect_schedule::begin(time_point now) {
    if (begun_ == attempts_ || (begun_ > failed_ && now < last_begun_ + head_start))
        return std::nullopt;
    last_begun_ = now;
    return begun_++;
}

connect_schedule::time_point connect_schedule::next_at() const noexcept {
    return begun_ == attempts_ ? time_point::max() : last_begun_ + head_start;
}

} // namespace reauth
