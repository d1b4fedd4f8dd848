// The book of approvals: order, decisions, expiry, listeners.
#include "proxy/approval/approvals.hpp"

#include "tests/support/catch.hpp"

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

/// Shows it and gives what the book keeps.
std::shared_ptr<approval> shown(approvals& book, const approval& a) {
    book.show(a);
    return book.find(a.id);
}

void change(approvals& book, approval now, approval_status status, std::string outcome = {}) {
    now.status = status;
    now.outcome = std::move(outcome);
    book.show(now);
}

} // namespace

TEST_CASE("waiting approvals are listed oldest first, whatever their ids") {
    approvals book("http://x");
    book.show(question("b", 1s));
    book.show(question("a", 2s));
    book.show(question("c", 0s));
    std::string order;
    for (const auto& a : book.waiting())
        order += a->id;
    CHECK(order == "cba");
}

TEST_CASE("an approval is found by its id and by its link, never by one as the other") {
    approvals book("http://x:1");
    const auto a = shown(book, question("a"));
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
    book.show(a);
    CHECK(book.find_by_link("") == nullptr);
}

TEST_CASE("whoever looks at an approval sees its changes, and each is told") {
    approvals book("");
    const auto a = shown(book, question("a"));
    int told = 0;
    book.subscribe([&](const approval&) { ++told; });
    change(book, *a, approval_status::authorizing);
    CHECK(book.waiting().size() == 1);
    change(book, *a, approval_status::denied, "no");
    CHECK(a->status == approval_status::denied);
    CHECK(a->outcome == "no");
    CHECK(told == 2);
    CHECK(book.waiting().empty());
}

TEST_CASE("decided approvals are forgotten an hour later, others never") {
    approvals book("");
    const auto kept = shown(book, question("kept")), denied = shown(book, question("denied"));
    change(book, *denied, approval_status::denied);
    book.forget_old(start);
    book.forget_old(start + 60min - 1s);
    CHECK(book.find("denied"));
    book.forget_old(start + 60min);
    CHECK_FALSE(book.find("denied"));
    CHECK(book.find("kept") == kept);
    CHECK(kept->status == approval_status::pending);
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
    const auto a = shown(book, question("a"));
    change(book, *a, approval_status::denied);
    CHECK(first == 1);
    CHECK(second == 2);
}

TEST_CASE("attention begins once, is told, and ends half a minute after the last look") {
    approvals book("");
    std::vector<std::string> told;
    book.on_look([&](const std::string& id) { told.push_back(id); });
    CHECK_FALSE(book.attended("a", start));
    book.look("a", start);
    book.look("a", start + 20s);
    CHECK(told == std::vector<std::string>{"a"});
    CHECK(book.attended("a", start + 49s));
    CHECK_FALSE(book.attended("b", start + 49s));
    CHECK_FALSE(book.attended("a", start + 50s));
    book.look("b", start + 60s);
    CHECK(told.back() == "b");
    book.forget_old(start + 10min);
    CHECK_FALSE(book.attended("b", start + 10min));
}
