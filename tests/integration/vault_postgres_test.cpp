// The PostgreSQL backend, against a real server: tests/fleet/with_postgres starts one (./dev integration
// does).
#ifdef REAUTH_POSTGRES
#include "proxy/vault/credential_store.hpp"
#include "proxy/vault/postgres_locks.hpp"
#include "tests/unit/proxy/vault_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

secret test_dsn() {
    const char* dsn = std::getenv("REAUTH_TEST_DSN");
    if (dsn == nullptr)
        FAIL("no PostgreSQL: run this by `./dev integration`, or under tests/fleet/with_postgres");
    return secret(dsn);
}

/// Every test has the server for itself: what others left is forgotten.
vault_config postgres_settings() {
    vault_config settings;
    settings.backend = vault_backend::postgres;
    settings.dsn = test_dsn();
    settings.key = secret(std::string(32, 'k'));
    postgres_connection cleaner(settings.dsn, {});
    REQUIRE(cleaner.script("DROP TABLE IF EXISTS mcp_reauth_records, mcp_reauth_properties").has_value());
    return settings;
}

/// Ends other sessions of ours at the server, as a broken network does. `only`: those that hold locks.
void cut_connections(bool only_locks) {
    postgres_connection axe(test_dsn(), {});
    const std::string which =
        only_locks ? " AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')" : "";
    REQUIRE(axe.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'mcp-reauth' AND pid <> pg_backend_pid()" +
                        which,
                    {})
                .has_value());
}

/// Asks again until `holds`, since news come by the network.
template<class F>
bool soon(F holds) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until)
            return false;
        std::this_thread::yield();
    }
    return true;
}

/// What `v` hears next.
std::vector<vault_change> heard(vault& v) {
    std::vector<vault_change> news;
    soon([&] {
        auto changes = v.changes();
        INFO((changes ? std::string() : changes.error().describe()));
        REQUIRE(changes.has_value());
        news = std::move(*changes);
        return !news.empty();
    });
    return news;
}

} // namespace

TEST_CASE("a PostgreSQL vault keeps, lists, expires and takes records", "[postgres]") {
    const auto settings = postgres_settings();
    auto v = opened(settings);
    const std::string binary("bin\0ary", 7);
    must(v->put(record_kind::credential, "pg b", secret(binary)));
    must(v->put(record_kind::credential, "pg a", secret("x")));
    must(v->put(record_kind::credential, "pg c", secret("late"), std::chrono::system_clock::now() - 1h));
    auto again = opened(settings);
    CHECK(got(*again, record_kind::credential, "pg b") == binary);
    CHECK(got(*again, record_kind::credential, "pg c") == "(none)");
    const auto all = again->list(record_kind::credential);
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 2);
    CHECK(all->front().key == "pg a");
    must(again->erase(record_kind::credential, "pg a"));
    CHECK(again->take(record_kind::credential, "pg b")->has_value());
    CHECK_FALSE(v->take(record_kind::credential, "pg b")->has_value());
}

TEST_CASE("a PostgreSQL vault lists the last records backwards, and drops those before them", "[postgres]") {
    auto v = opened(postgres_settings());
    must(v->keep_last(record_kind::timeline, 0));
    for (const auto* key : {"pg-1/B", "pg-1/a", "pg-2/a", "pg-3/a"})
        must(v->put(record_kind::timeline, key, secret(key)));
    const auto all = v->last(record_kind::timeline, {}, 10);
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 4);
    CHECK(all->front().key == "pg-3/a");
    CHECK(all->back().key == "pg-1/B"); // by bytes, whatever the database's language
    CHECK(v->last(record_kind::timeline, "pg-3/a", 1)->front().key == "pg-2/a");
    must(v->keep_last(record_kind::timeline, 1));
    CHECK(v->last(record_kind::timeline, {}, 10)->size() == 1);
    must(v->keep_last(record_kind::timeline, 0));
}

TEST_CASE("a PostgreSQL batch is written whole or not at all", "[postgres]") {
    auto v = opened(postgres_settings());
    must(v->put(record_kind::credential, "a", secret("one")));
    const auto seen = v->read(record_kind::credential, "a").value();
    must(v->put(record_kind::credential, "a", secret("two")));
    CHECK_FALSE(v->write({{record_kind::issuer_pin, "a", secret("pin"), {}, {}},
                          {record_kind::credential, "a", secret("three"), {}, seen.version}})
                    .value());
    CHECK(got(*v, record_kind::issuer_pin, "a") == "(none)");
    const auto now = v->read(record_kind::credential, "a").value();
    CHECK(v->write({{record_kind::issuer_pin, "a", secret("pin"), {}, {}},
                    {record_kind::credential, "a", secret("three"), {}, now.version},
                    {record_kind::flight, "a", {}, {}, {}}})
              .value());
    CHECK(got(*v, record_kind::credential, "a") == "three");
    CHECK(got(*v, record_kind::issuer_pin, "a") == "pin");
    const std::string absent;
    CHECK_FALSE(v->write({{record_kind::credential, "a", secret("four"), {}, absent}}).value());
    CHECK(v->write({{record_kind::approval, "b", secret("x"), std::chrono::system_clock::now() - 1s, absent}})
              .value());
    CHECK(v->write({{record_kind::approval, "b", secret("y"), {}, absent}}).value());
    CHECK(got(*v, record_kind::approval, "b") == "y");
}

TEST_CASE("a PostgreSQL lock has one holder, in this process and others, and ends with it", "[postgres]") {
    const auto settings = postgres_settings();
    auto ours = opened(settings), theirs = opened(settings);
    auto lock = ours->try_lock("refresh").value();
    REQUIRE(lock);
    CHECK_FALSE(ours->try_lock("refresh").value());
    CHECK_FALSE(theirs->try_lock("refresh").value());
    CHECK(theirs->try_lock("another").value());
    lock.reset();
    auto again = theirs->try_lock("refresh").value();
    REQUIRE(again);
    CHECK_FALSE(ours->try_lock("refresh").value());
    again.reset();
    theirs.reset();
    CHECK(ours->try_lock("refresh").value());
}

TEST_CASE("a PostgreSQL lock whose connection was cut is taken again, unless somebody was faster",
          "[postgres]") {
    const auto settings = postgres_settings();
    auto ours = opened(settings), theirs = opened(settings);
    const auto kept = ours->try_lock("kept").value(), lost = ours->try_lock("lost").value();
    REQUIRE(kept);
    REQUIRE(lost);
    cut_connections(true);
    const auto faster = [&] {
        for (;;) // the server takes a moment to end a session
            if (auto won = theirs->try_lock("lost"); won && *won)
                return std::move(*won);
    }();
    (void)ours->try_lock("anything"); // notices
    (void)ours->try_lock("anything");
    CHECK_FALSE(theirs->try_lock("kept").value());
    CHECK(faster);
}

TEST_CASE("a PostgreSQL vault works on after its connections were cut", "[postgres]") {
    const auto settings = postgres_settings();
    auto v = opened(settings);
    must(v->put(record_kind::credential, "a", secret("one")));
    cut_connections(false);
    CHECK(got(*v, record_kind::credential, "a") == "one");
    must(v->put(record_kind::credential, "a", secret("two")));
    CHECK(got(*v, record_kind::credential, "a") == "two");
}

TEST_CASE("a PostgreSQL vault tells what others have written, also across a cut", "[postgres]") {
    const auto settings = postgres_settings();
    auto ours = opened(settings), theirs = opened(settings);
    CHECK(ours->changes().value().empty());
    must(ours->put(record_kind::credential, "own", secret("x")));
    must(theirs->put(record_kind::registration, "of no interest", secret("x")));
    must(theirs->put(record_kind::credential, "ada u https://as.example", secret("x")));
    auto news = heard(*ours);
    REQUIRE(news.size() == 1);
    CHECK(news[0].kind == record_kind::credential);
    CHECK(news[0].key == "ada u https://as.example");
    must(theirs->erase(record_kind::approval, "none"));
    must(theirs->put(record_kind::approval, "b", secret("x")));
    news = heard(*ours);
    REQUIRE(news.size() == 1);
    CHECK(news[0].key == "b");
    cut_connections(false);
    must(theirs->put(record_kind::credential, "while nobody listened", secret("x")));
    CHECK(soon([&] {
        const auto changes = ours->changes();
        return changes && std::any_of(changes->begin(), changes->end(),
                                      [](const auto& change) { return change.key.empty(); });
    }));
    must(theirs->put(record_kind::credential, "after", secret("x")));
    news = heard(*ours);
    REQUIRE(news.size() == 1);
    CHECK(news[0].key == "after");
}

TEST_CASE("of two that store over the same PostgreSQL credential one learns what the other stored",
          "[postgres]") {
    const auto settings = postgres_settings();
    auto ours = opened(settings), theirs = opened(settings);
    credential_store a(*ours), b(*theirs);
    credential c;
    c.access_token = secret("of a");
    c.issuer = "https://as.example";
    c.generation = 1;
    CHECK_FALSE(a.store_credential("ada", "u", c, 0, true).value().has_value());
    c.access_token = secret("of b");
    const auto there = b.store_credential("ada", "u", c, 0).value();
    REQUIRE(there.has_value());
    REQUIRE(there->value.has_value());
    CHECK(there->value->access_token.equals("of a"));
    CHECK(b.pinned_issuer("ada", "u").value() == "https://as.example");
}

TEST_CASE("a holder that lost its PostgreSQL lock can't store over its successor", "[postgres]") {
    const auto settings = postgres_settings();
    auto stopped = opened(settings), heir = opened(settings);
    credential_store before(*stopped), after(*heir);
    credential c;
    c.access_token = secret("of before");
    c.issuer = "https://as.example";
    c.generation = 1;
    REQUIRE_FALSE(before.store_credential("ada", "u", c, 0).value().has_value());
    const auto held = stopped->try_lock("refresh").value();
    REQUIRE(held);
    cut_connections(true); // as the server does with a holder that is silent for too long
    std::unique_ptr<vault_lock> won;
    REQUIRE(soon([&] {
        if (auto attempt = heir->try_lock("refresh"))
            won = std::move(*attempt);
        return won != nullptr;
    }));
    c.access_token = secret("of the heir");
    c.generation = 2;
    REQUIRE_FALSE(after.store_credential("ada", "u", c, 1).value().has_value());
    c.access_token = secret("brought home late");
    const auto there = before.store_credential("ada", "u", c, 1).value();
    REQUIRE(there.has_value());
    CHECK(there->value->access_token.equals("of the heir"));
    CHECK(after.find_credential("ada", "u", "https://as.example")->value->access_token.equals("of the heir"));
}

TEST_CASE("a PostgreSQL vault refuses a wrong key and tells of no server, without the DSN", "[postgres]") {
    auto settings = postgres_settings();
    opened(settings);
    settings.key = secret(std::string(32, 'w'));
    CHECK(refusal(settings).message.find("another key") != std::string::npos);
    settings.dsn = secret("postgresql://user:hush@127.0.0.1:1/none");
    const auto why = refusal(settings);
    CHECK(why.transient);
    CHECK(why.describe().find("hush") == std::string::npos);
}
#endif
