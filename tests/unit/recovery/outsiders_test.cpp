// Principals whom others vouch for: looked up when they call, kept while there is room, and their keys
// fetched.
#include "tests/support/text.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

struct open_world : recovery_world {
    explicit open_world(const std::string& limits = {})
        : recovery_world(
              "url: \"" + mcp_url + "\"",
              "client_auth: {name: acme, jwt: {issuer: \"https://idp.example\", audience: gate}}\n" +
                  limits) {}

    request_target of(const principal_id& who) const { return {table, table->routes[0].get(), who}; }
    void keep_in_vault(const std::string& principal) {
        credential c;
        c.access_token = secret("access-of-" + principal);
        c.issuer = "https://as.example";
        c.resource = mcp_url;
        c.origin = "https://mcp.example";
        c.client_id = "client-1";
        c.obtained_at = now;
        c.expires_at = now + 1h;
        c.generation = 1;
        REQUIRE(store.store_credential(principal, "up", c, 0).has_value());
        REQUIRE(store.pin_issuer(principal, "up", c.issuer).has_value());
    }
    std::shared_ptr<pending_recovery> load(const principal_id& who) {
        recovery_ask ask;
        ask.where = of(who);
        ask.only_load = true;
        auto held = std::make_shared<pending_recovery>(worker, waker, std::move(ask));
        manager->requests().ask(held);
        return held;
    }
    std::string attached_for(const principal_id& who) const {
        const auto found = published.find(of(who).credential());
        if (found == published.end() || found->second.empty() || !found->second.back())
            return {};
        return std::string(found->second.back()->held.access_token.reveal());
    }
    /// Who wants keys is answered at once, or when the issuer has.
    std::shared_ptr<keys_wanted> want(keys_ptr seen) {
        auto wanted = std::make_shared<keys_wanted>(
            worker, waker, issuer_place{"https://idp.example", keys_url, ""}, std::move(seen));
        manager->requests().want_keys(wanted);
        until([&] { return wanted->over; }, "the keys");
        return wanted;
    }
    const std::string keys_url = "https://idp.example/jwks";
};

} // namespace

TEST_CASE("nothing of principals from outside is read before they call") {
    open_world w;
    w.keep_in_vault("acme/ada");
    w.start();
    CHECK(w.manager->lives() == 0);
    CHECK(w.manager->outsiders() == 0);
    const auto ada = principal_id::from_outside("acme/ada"), grace = principal_id::from_outside("acme/grace");
    const auto loaded = w.verdict_of(w.load(ada));
    CHECK(loaded.is == recovery_verdict::kind::replay);
    CHECK(loaded.loaded);
    CHECK(w.attached_for(ada) == "access-of-acme/ada");
    CHECK(w.verdict_of(w.load(grace)).is == recovery_verdict::kind::replay);
    CHECK(w.attached_for(grace).empty());
    CHECK(w.manager->outsiders() == 2);
    CHECK(w.network.requests.empty());
}

TEST_CASE("a principal whose records can't be read is told so, not taken for one who has none") {
    open_world w;
    w.keep_in_vault("acme/ada");
    w.start();
    w.records.readable = false;
    const auto ada = principal_id::from_outside("acme/ada");
    const auto failed = w.verdict_of(w.load(ada));
    CHECK(failed.is == recovery_verdict::kind::fail);
    CHECK(failed.why.code == fault::vault_unavailable);
    CHECK(w.attached_for(ada).empty());
    w.records.readable = true;
    CHECK(w.verdict_of(w.load(ada)).is == recovery_verdict::kind::replay);
    CHECK(w.attached_for(ada) == "access-of-acme/ada");
}

TEST_CASE("beyond limits.principals those go that called least lately; who has something under way stays") {
    open_world w("limits: {principals: 3}\n");
    std::vector<std::uint32_t> gone;
    w.start();
    w.manager->on_forgotten([&](std::vector<std::uint32_t> numbers) {
        CHECK(std::is_sorted(numbers.begin(), numbers.end()));
        gone.insert(gone.end(), numbers.begin(), numbers.end());
    });
    std::vector<principal_id> all;
    for (unsigned i = 0; i < 6; ++i) {
        const auto name = "acme/p" + std::to_string(i);
        w.keep_in_vault(name);
        all.push_back(principal_id::from_outside(name));
        all.back().used_at(100 + i);
        CHECK(w.verdict_of(w.load(all.back())).is == recovery_verdict::kind::replay);
    }
    all[0].begin_request();
    w.now += 5s;
    w.manager->pass_time();
    w.control.poll();
    CHECK(w.manager->outsiders() == 3);
    CHECK(gone == std::vector<std::uint32_t>{all[1].number(), all[2].number(), all[3].number()});
    all[0].end_request();
    CHECK(w.verdict_of(w.load(all[1])).is == recovery_verdict::kind::replay);
    CHECK(w.attached_for(all[1]) == "access-of-acme/p1");
}

TEST_CASE("lives of principals from outside are let go at once, and what they hold stays attached") {
    open_world w;
    w.keep_in_vault("acme/ada");
    w.start();
    const auto ada = principal_id::from_outside("acme/ada");
    w.verdict_of(w.load(ada));
    w.now += 2s;
    w.manager->pass_time();
    CHECK(w.manager->lives() == 0);
    CHECK(w.manager->outsiders() == 1);
    CHECK(w.attached_for(ada) == "access-of-acme/ada");
    const auto shown = w.manager->summaries();
    REQUIRE(shown.size() == 1);
    CHECK(shown[0].principal == "acme/ada");
    CHECK(shown[0].held);
}

TEST_CASE("an issuer's keys are fetched once for all who wait, and no oftener than it can bear") {
    open_world w;
    w.network.on(w.keys_url, 200, R"({"keys":[{"kty":"EC"}]})");
    w.start();
    auto clock = key_desk::clock::now();
    w.manager->keys().use_clock([&] { return clock; });
    const auto first = w.want(nullptr)->found;
    REQUIRE(first);
    CHECK(w.want(nullptr)->found == first); // who has none gets what there is
    CHECK(w.network.asked(w.keys_url) == 1);
    keys_ptr last = first;
    for (int i = 0; i < 20; ++i)
        last = w.want(last)->found;
    CHECK(w.network.asked(w.keys_url) == key_desk::burst);
    clock += key_desk::pause;
    last = w.want(last)->found;
    CHECK(w.network.asked(w.keys_url) == key_desk::burst + 1);
}

TEST_CASE("an issuer that is down is asked again after a pause; its keys are used for a day, and no longer") {
    open_world w;
    w.network.on(w.keys_url, 503, "");
    w.start();
    auto clock = key_desk::clock::now();
    w.manager->keys().use_clock([&] { return clock; });
    auto none = w.want(nullptr);
    CHECK_FALSE(none->found);
    REQUIRE(none->why);
    CHECK(none->why->transient);
    w.want(nullptr);
    CHECK(w.network.asked(w.keys_url) == 1);
    w.network.on(w.keys_url, 200, R"({"keys":[{"kty":"EC"}]})");
    clock += key_desk::trouble_pause;
    const auto keys = w.want(nullptr)->found;
    REQUIRE(keys);
    w.network.on(w.keys_url, 503, "");
    clock += key_desk::lifetime + 1s;
    const auto old = w.want(keys);
    CHECK(old->found == keys);
    CHECK(old->why);
    clock += key_desk::longest;
    CHECK_FALSE(w.want(keys)->found);
}
