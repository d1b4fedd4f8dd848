// The book of approvals: order, decisions, expiry, listeners.
#include "proxy/approval/approvals.hpp"

#include <catch2/catch.hpp>

using namespace reauth;
using namespace std::chrono_literals;

namespace {

const time_point start{1'800'000'000s};

approval question(std::string id, std::chrono::seconds asked = 0s) {
    approval a;
    a.link_secret = secret("link-" + id);
    a.id = std::move(id);
    a.created_at = start + asked;
    a.expires_at = start + asked + 15min;
    return a;
}

} // namespace

TEST_CASE("waiting approvals are listed oldest first, whatever their ids") {
    approvals book("http://x");
    book.open(question("b", 1s));
    book.open(question("a", 2s));
    book.open(question("c", 0s));
    std::string order;
    for (const auto& a : book.waiting())
        order += a->id;
    CHECK(order == "cba");
}

TEST_CASE("an approval is found by its id and by its link, never by one as the other") {
    approvals book("http://x:1");
    const auto a = book.open(question("a"));
    CHECK(book.find("a") == a);
    CHECK(book.find("link-a") == nullptr);
    CHECK(book.find_by_link("link-a") == a);
    CHECK(book.find_by_link("a") == nullptr);
    CHECK(book.find_by_link("") == nullptr);
    CHECK(book.link(*a) == "http://x:1/a/link-a");
}

TEST_CASE("an approval without a link secret is never found by an empty link") {
    approvals book("");
    auto a = question("a");
    a.link_secret = secret();
    book.open(std::move(a));
    CHECK(book.find_by_link("") == nullptr);
}

TEST_CASE("the first decision stays, and only it is told") {
    approvals book("");
    const auto a = book.open(question("a"));
    int told = 0;
    book.subscribe([&](const approval&) { ++told; });
    book.update(a, approval_status::authorizing);
    book.update(a, approval_status::denied, "no");
    book.update(a, approval_status::approved, "yes");
    CHECK(a->status == approval_status::denied);
    CHECK(a->outcome == "no");
    CHECK(told == 2);
    CHECK(book.waiting().empty());
}

TEST_CASE("approvals expire at their time, and decided ones are forgotten an hour later") {
    approvals book("");
    const auto late = book.open(question("late")), kept = book.open(question("kept", 60s)),
               denied = book.open(question("denied"));
    book.update(denied, approval_status::denied);
    book.expire(start + 15min - 1s);
    CHECK(late->status == approval_status::pending);
    book.expire(start + 15min);
    CHECK(late->status == approval_status::expired);
    CHECK_FALSE(late->outcome.empty());
    CHECK(kept->status == approval_status::pending);
    CHECK(denied->status == approval_status::denied);
    book.expire(start + 75min - 1s);
    CHECK(book.find("late"));
    CHECK_FALSE(book.find("denied"));
    book.expire(start + 75min);
    CHECK_FALSE(book.find("late"));
    CHECK(kept->status == approval_status::expired);
}

TEST_CASE("a listener may leave while it is told") {
    approvals book("");
    std::uint64_t self = 0;
    int first = 0, second = 0;
    self = book.subscribe([&](const approval&) {
        ++first;
        book.unsubscribe(self);
    });
    book.subscribe([&](const approval&) { ++second; });
    const auto a = book.open(question("a"));
    book.update(a, approval_status::denied);
    CHECK(first == 1);
    CHECK(second == 2);
}
