// In which order, and when, the addresses of a host are tried (RFC 8305, "Happy Eyeballs"): pure, times are
// passed in.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace reauth {

/// As it stands in a URL.
std::string in_brackets(const boost::asio::ip::address& a);

/// The families take turns, beginning with that of the first address (RFC 8305 section 4); within a family
/// the resolver's order stays. `ipv4_only`: where there is such an address, no other is tried.
std::vector<boost::asio::ip::address> plan_addresses(std::vector<boost::asio::ip::address> found,
                                                     bool ipv4_only = false);

/// When each attempt begins: the first at once, the next when the one before has failed, or has had its head
/// start. Whichever connects first is taken.
class connect_schedule {
public:
    using time_point = std::chrono::steady_clock::time_point;
    /// "Connection Attempt Delay" (RFC 8305 section 8).
    static constexpr std::chrono::milliseconds head_start{250};

    explicit connect_schedule(std::size_t attempts) : attempts_(attempts) {}

    /// The attempt that begins now; nothing: none yet, or none is left.
    std::optional<std::size_t> begin(time_point now);
    /// When to ask again, unless one ends before; time_point::max(): every attempt has begun.
    time_point next_at() const noexcept;
    void failed() noexcept { ++failed_; }
    /// Nothing is left that could connect.
    bool hopeless() const noexcept { return failed_ == attempts_; }

private:
    std::size_t attempts_, begun_ = 0, failed_ = 0;
    time_point last_begun_{};
};

} // namespace reauth
