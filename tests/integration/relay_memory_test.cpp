// What a steady request takes of the heap: nothing. Large ones and streams give back what they took.
#include "tests/integration/company_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>

using namespace relay_test;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REAUTH_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REAUTH_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef REAUTH_COUNTS_ALLOCATIONS
#define REAUTH_COUNTS_ALLOCATIONS 1
#endif

#if REAUTH_COUNTS_ALLOCATIONS

namespace {

std::atomic<bool> counting{false};
std::atomic<std::uint64_t> allocations{0};
thread_local bool tests_own = false;

void* counted(std::size_t size) {
    if (counting.load(std::memory_order_relaxed) && !tests_own)
        allocations.fetch_add(1, std::memory_order_relaxed);
    if (auto* memory = std::malloc(size > 0 ? size : 1))
        return memory;
    throw std::bad_alloc();
}

/// Allocations by all threads but the test's while it lives.
class allocation_count {
public:
    allocation_count() {
        tests_own = true;
        allocations = 0;
        counting = true;
    }
    ~allocation_count() { counting = false; }
    std::uint64_t so_far() const { return allocations; }
};

} // namespace

void* operator new(std::size_t size) {
    return counted(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

TEST_CASE("a steady request allocates nothing, nor does that of a caller who is known by its token",
          "[memory]") {
    std::unique_ptr<company> acme; // makes tokens; idle once one is verified
    std::string callers, shown;
    SECTION("of nobody in particular") {}
    SECTION("of somebody the company knows") {
        acme = std::make_unique<company>();
        callers = acme->client_auth() + "limits: {requests_per_principal: 100}\n";
        shown = company::shown(acme->token("ada"));
    }
    played_upstream up;
    const demo_directory secrets;
    const auto file = secrets.path() + "/token";
    std::ofstream(file) << "a-token-of-the-test\n";
    running_proxy proxy(callers + "workers: 1\n" +
                        running_proxy::upstream(up.url(), "grant: static, token: {file: " + file + "}"));
    const auto call =
        proxy.request("POST /up", json_fields + shown, rpc(7, "tools/call", {{"name", "echo"}}).dump());
    auto client = proxy.connect();
    REQUIRE(client.send(call));
    auto upstream = up.accept();
    const auto served = [&] {
        const auto asked = read_message(upstream);
        return has(asked.head, "Authorization: Bearer a-token-of-the-test") &&
               upstream.send(answer("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}")) &&
               read_message(client).status() == 200;
    };
    REQUIRE(served());
    for (int warm = 0; warm < 20; ++warm)
        REQUIRE((client.send(call) && served()));
    // the control thread looks at the token's file now and then: not in all of five rounds
    std::uint64_t least = UINT64_MAX;
    for (int round = 0; round < 5; ++round) {
        const allocation_count count;
        for (int i = 0; i < 50; ++i)
            REQUIRE((client.send(call) && served()));
        least = std::min(least, count.so_far());
    }
    CHECK(least == 0);
}

#endif
