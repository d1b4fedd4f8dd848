// The workers' loop: what is posted, deadlines, coroutines, and how they end.
#include "proxy/net/wakeup.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace reauth;

namespace {

loop_task<int> length_of(const std::string& text) {
    if (text.empty())
        throw std::runtime_error("nothing there");
    co_return static_cast<int>(text.size());
}

/// Waits, then adds what it was told.
loop_task<void> listen(wakeup& bell, std::string word, std::vector<std::string>& heard) {
    co_await bell.wait();
    heard.push_back(word);
}

loop_task<void> sum(std::vector<std::string> words, int& out) {
    for (const auto& word : words) {
        const int n = co_await length_of(word);
        out += n;
    }
}

loop_task<void> caught(std::string& said) {
    const std::string nothing;
    try {
        (void)co_await length_of(nothing);
    } catch (const std::exception& e) {
        said = e.what();
    }
}

/// Owns what it waits for, as a session does.
loop_task<void> keep(event_loop& loop, std::shared_ptr<int> alive, wakeup*& told) {
    wakeup bell(loop);
    told = &bell;
    co_await bell.wait();
    ++*alive;
}

} // namespace

TEST_CASE("what is posted from any thread runs on the loop's, in its order", "[loop]") {
    event_loop loop;
    std::vector<int> ran;
    std::thread::id where;
    std::thread other([&] {
        for (int i = 0; i < 100; ++i)
            loop.post([&ran, &where, i] {
                ran.push_back(i);
                where = std::this_thread::get_id();
            });
        loop.finish();
    });
    loop.run();
    other.join();
    REQUIRE(ran.size() == 100);
    CHECK(std::is_sorted(ran.begin(), ran.end()));
    CHECK(where == std::this_thread::get_id());
}

TEST_CASE("a posted call may own what can't be copied, and is forgotten with the loop", "[loop]") {
    auto watched = std::make_shared<int>(7);
    int seen = 0;
    {
        event_loop loop;
        loop.post([only = std::make_unique<int>(5), &seen] { seen = *only; });
        loop.poll();
        loop.post([watched] { ++*watched; });
    }
    CHECK(seen == 5);
    CHECK(*watched == 7);
    CHECK(watched.use_count() == 1);
}

TEST_CASE("a task gives its value to who awaits it, without a turn of the loop", "[loop]") {
    event_loop loop;
    int total = 0;
    loop.spawn(sum({"a", "bc", "def"}, total));
    CHECK(total == 6);
}

TEST_CASE("an exception goes to who awaits the task; at the top it ends that task alone", "[loop]") {
    event_loop loop;
    std::string said;
    loop.spawn(caught(said));
    CHECK(said == "nothing there");
    int total = 0;
    loop.spawn(sum({""}, total));
    loop.spawn(sum({"ab"}, total));
    CHECK(total == 2);
}

TEST_CASE("a wakeup before the wait counts, one after it wakes in the loop's own time", "[loop]") {
    event_loop loop;
    wakeup bell(loop);
    std::vector<std::string> heard;
    bell.notify();
    loop.spawn(listen(bell, "early", heard));
    CHECK(heard == std::vector<std::string>{"early"});
    loop.spawn(listen(bell, "late", heard));
    CHECK(heard.size() == 1);
    bell.notify();
    CHECK(heard.size() == 1); // never from within notify()
    loop.poll();
    CHECK(heard.back() == "late");
}

TEST_CASE("a loop that ends cancels what has not ended, waiting or about to go on", "[loop]") {
    auto waiting = std::make_shared<int>(0), woken = std::make_shared<int>(0);
    {
        event_loop loop;
        wakeup *never = nullptr, *just_now = nullptr;
        loop.spawn(keep(loop, waiting, never));
        loop.spawn(keep(loop, woken, just_now));
        just_now->notify();
    }
    CHECK(*waiting == 0);
    CHECK(*woken == 0);
    CHECK(waiting.use_count() == 1);
    CHECK(woken.use_count() == 1);
}

TEST_CASE("deadlines ring once, the due ones only, and nobody wakes before one can be due", "[loop]") {
    using namespace std::chrono_literals;
    deadline_service all;
    const auto begin = all.now();
    std::vector<int> rung;
    const auto ring = [](void* who) { static_cast<std::vector<int>*>(who)->push_back(1); };
    CHECK(all.wait() == -1);
    deadline first(all, ring, &rung), second(all, ring, &rung), cleared(all, ring, &rung);
    first.set(begin + 1s);
    second.set(begin + 5s);
    cleared.set(begin + 1s);
    cleared.clear();
    CHECK(all.wait() == 1000);
    all.turn(begin + 999ms);
    CHECK(rung.empty());
    all.turn(begin + 1s);
    CHECK(rung.size() == 1);
    CHECK(all.wait() == 4000);
    all.turn(begin + 5s);
    CHECK(rung.size() == 2);
    CHECK(all.wait() == -1);
    first.set_after(10ms);
    CHECK(all.wait() == 100); // the last look was just now: late by the tick at most
    all.turn(begin + 5100ms);
    CHECK(rung.size() == 3);
}

TEST_CASE("a deadline that ends another while it rings does no harm", "[loop]") {
    using namespace std::chrono_literals;
    deadline_service all;
    struct rung_pair {
        std::unique_ptr<deadline> one, two;
        int rung = 0;
    } both;
    const auto ring = [](void* who) {
        auto& p = *static_cast<rung_pair*>(who);
        ++p.rung;
        p.one.reset();
        p.two.reset();
    };
    both.one = std::make_unique<deadline>(all, ring, &both);
    both.two = std::make_unique<deadline>(all, ring, &both);
    both.one->set(all.now());
    both.two->set(all.now());
    all.turn(all.now() + 1s);
    CHECK(both.rung == 1);
}
