// In which order the addresses of a host are tried, and when.
#include "proxy/net/address_plan.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

namespace {

std::string order(std::initializer_list<const char*> found, bool ipv4_only = false) {
    std::vector<boost::asio::ip::address> addresses;
    for (const auto* one : found)
        addresses.push_back(boost::asio::ip::make_address(one));
    std::string text;
    for (const auto& address : plan_addresses(addresses, ipv4_only))
        text += (text.empty() ? "" : " ") + address.to_string();
    return text;
}

} // namespace

TEST_CASE("the families take turns, beginning with the resolver's first") {
    CHECK(order({"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"}) ==
          "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2");
    CHECK(order({"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"}) ==
          "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3");
    CHECK(order({"192.0.2.1"}) == "192.0.2.1");
    CHECK(order({}).empty());
}

TEST_CASE("IPv4 alone is tried where it is wanted, and there is such an address") {
    CHECK(order({"2001:db8::1", "192.0.2.1", "2001:db8::2"}, true) == "192.0.2.1");
    CHECK(order({"192.0.2.1", "2001:db8::1"}, true) == "192.0.2.1");
    CHECK(order({"2001:db8::1"}, true) == "2001:db8::1");
}

TEST_CASE("an attempt begins when the one before has failed, or has had its head start") {
    connect_schedule s(3);
    const connect_schedule::time_point start{1h};
    CHECK(s.begin(start) == 0u);
    CHECK_FALSE(s.begin(start));
    CHECK(s.next_at() == start + 250ms);
    CHECK_FALSE(s.begin(start + 249ms));
    CHECK(s.begin(start + 250ms) == 1u); // the first may still connect
    CHECK_FALSE(s.begin(start + 260ms));
    s.failed();
    s.failed();
    CHECK(s.begin(start + 270ms) == 2u); // nothing is under way any more
    CHECK(s.next_at() == connect_schedule::time_point::max());
    CHECK_FALSE(s.hopeless());
    s.failed();
    CHECK(s.hopeless());
    CHECK_FALSE(s.begin(start + 1h));
    CHECK(connect_schedule(0).hopeless());
}
