// What every backend does with records, batches and locks, and what the seal promises.
#include "proxy/vault/memory_store.hpp"
#include "proxy/vault/sealed_vault.hpp"
#include "proxy/vault/sqlite_store.hpp"
#include "tests/unit/proxy/vault_fixture.hpp"

#include <sqlite3.h>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

/// A vault on a clock that the test moves.
struct clocked_vault {
    scratch_directory directory;
    std::int64_t now = 1'000'000;
    std::unique_ptr<vault> v;

    explicit clocked_vault(const std::string& backend) {
        auto clock = [this] { return now; };
        std::unique_ptr<record_store> store;
        if (backend == "memory") {
            store = make_memory_store(clock);
        } else {
            auto made = open_sqlite_store(directory.file("vault.db"), clock);
            REQUIRE(made.has_value());
            store = std::move(*made);
        }
        auto made = make_sealed_vault(std::move(store), sealer::ephemeral().value(), "under test");
        REQUIRE(made.has_value());
        v = std::move(*made);
    }
    std::chrono::system_clock::time_point at(std::int64_t ms) const {
        return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
    }
};

} // namespace

TEST_CASE("a record is what was put last, under its own kind and key") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    CHECK(got(*c.v, record_kind::credential, "a") == "(none)");
    must(c.v->put(record_kind::credential, "a", secret("one")));
    must(c.v->put(record_kind::credential, "a", secret("two")));
    must(c.v->put(record_kind::registration, "a", secret(std::string("bin\0ary", 7))));
    CHECK(got(*c.v, record_kind::credential, "a") == "two");
    CHECK(got(*c.v, record_kind::registration, "a") == std::string("bin\0ary", 7));
    CHECK(got(*c.v, record_kind::credential, "b") == "(none)");
    must(c.v->erase(record_kind::credential, "a"));
    CHECK(got(*c.v, record_kind::credential, "a") == "(none)");
    CHECK(c.v->erase(record_kind::credential, "a").has_value());
}

TEST_CASE("records are listed by key, one kind at a time") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    for (const auto* key : {"b", "a", "c"})
        must(c.v->put(record_kind::credential, key, secret(std::string("value of ") + key)));
    must(c.v->put(record_kind::issuer_pin, "z", secret("other")));
    const auto all = c.v->list(record_kind::credential);
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 3);
    CHECK((*all)[0].key == "a");
    CHECK((*all)[2].key == "c");
    CHECK((*all)[1].value.equals("value of b"));
}

TEST_CASE(
    "the last records of a kind are listed backwards, page by page, and what is before them can be dropped") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    for (const auto* key : {"1/a", "2/a", "2/b", "3/a", "4/a"})
        must(c.v->put(record_kind::timeline, key, secret(key)));
    must(c.v->put(record_kind::credential, "9", secret("other")));
    must(c.v->put(record_kind::timeline, "5/a", secret("old"), c.at(c.now - 1)));
    const auto page = c.v->last(record_kind::timeline, {}, 2);
    REQUIRE(page.has_value());
    REQUIRE(page->size() == 2);
    CHECK((*page)[0].key == "4/a");
    CHECK((*page)[1].value.equals("3/a"));
    const auto rest = c.v->last(record_kind::timeline, "3/a", 10);
    REQUIRE(rest->size() == 3);
    CHECK(rest->front().key == "2/b");
    must(c.v->keep_last(record_kind::timeline, 2));
    CHECK(c.v->last(record_kind::timeline, {}, 10)->size() <= 2);
    CHECK(c.v->last(record_kind::timeline, {}, 10)->front().key == "4/a");
    CHECK(got(*c.v, record_kind::credential, "9") == "other");
    must(c.v->keep_last(record_kind::timeline, 10));
}

TEST_CASE("an expired record is gone for get, take and list") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    for (const auto* key : {"g", "t"})
        must(c.v->put(record_kind::pending_authorization, key, secret("x"), c.at(c.now + 10)));
    CHECK(got(*c.v, record_kind::pending_authorization, "g") == "x");
    c.now += 10;
    CHECK(got(*c.v, record_kind::pending_authorization, "g") == "(none)");
    CHECK(c.v->list(record_kind::pending_authorization)->empty());
    CHECK_FALSE(c.v->take(record_kind::pending_authorization, "t")->has_value());
}

TEST_CASE("a record put again without expiry stays") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    must(c.v->put(record_kind::credential, "a", secret("x"), c.at(c.now + 10)));
    must(c.v->put(record_kind::credential, "a", secret("y")));
    c.now += 1000;
    CHECK(got(*c.v, record_kind::credential, "a") == "y");
}

TEST_CASE("a record is taken once") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    must(c.v->put(record_kind::pending_authorization, "state", secret("verifier")));
    auto first = c.v->take(record_kind::pending_authorization, "state");
    REQUIRE(first.has_value());
    REQUIRE(first->has_value());
    CHECK((*first)->equals("verifier"));
    CHECK_FALSE(c.v->take(record_kind::pending_authorization, "state")->has_value());
}

TEST_CASE("rows whose time is over do not pile up in a vault that stays open") {
    clocked_vault c("sqlite");
    must(c.v->put(record_kind::approval, "a", secret("x"), c.at(c.now + 10)));
    must(c.v->put(record_kind::approval, "b", secret("y")));
    c.now += 11 * 60 * 1000;
    REQUIRE(c.v->changes().has_value());
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(c.directory.file("vault.db").c_str(), &db) == SQLITE_OK);
    int rows = 0;
    const auto count = [](void* to, int, char** values, char**) {
        *static_cast<int*>(to) = std::atoi(values[0]);
        return 0;
    };
    CHECK(sqlite3_exec(db, "SELECT count(*) FROM records", count, &rows, nullptr) == SQLITE_OK);
    sqlite3_close(db);
    CHECK(rows == 1);
}

TEST_CASE("a lock has one holder until it is given back") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    auto ours = c.v->try_lock("refresh").value();
    REQUIRE(ours);
    CHECK_FALSE(c.v->try_lock("refresh").value());
    CHECK(c.v->try_lock("another").value());
    c.now += 3'600'000; // no clock decides who owns what
    CHECK_FALSE(c.v->try_lock("refresh").value());
    ours.reset();
    CHECK(c.v->try_lock("refresh").value());
}

TEST_CASE("a batch is written whole or, where an expectation is not met, not at all") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    must(c.v->put(record_kind::credential, "a", secret("one")));
    const auto seen = c.v->read(record_kind::credential, "a").value();
    must(c.v->put(record_kind::credential, "a", secret("two")));
    CHECK_FALSE(c.v->write({{record_kind::issuer_pin, "a", secret("pin"), {}, {}},
                            {record_kind::credential, "a", secret("three"), {}, seen.version}})
                    .value());
    CHECK(got(*c.v, record_kind::issuer_pin, "a") == "(none)");
    CHECK(got(*c.v, record_kind::credential, "a") == "two");
    const auto now = c.v->read(record_kind::credential, "a").value();
    CHECK(c.v->write({{record_kind::issuer_pin, "a", secret("pin"), {}, {}},
                      {record_kind::credential, "a", secret("three"), {}, now.version}})
              .value());
    CHECK(got(*c.v, record_kind::issuer_pin, "a") == "pin");
    CHECK(got(*c.v, record_kind::credential, "a") == "three");
}

TEST_CASE("what must be absent is written over an expired record, and over nothing else") {
    clocked_vault c(GENERATE("memory", "sqlite"));
    const std::string absent;
    CHECK(c.v->write({{record_kind::approval, "a", secret("x"), c.at(c.now + 10), absent}}).value());
    CHECK_FALSE(c.v->write({{record_kind::approval, "a", secret("y"), c.at(c.now + 10), absent}}).value());
    c.now += 10;
    CHECK(c.v->write({{record_kind::approval, "a", secret("z"), c.at(c.now + 10), absent}}).value());
    CHECK(got(*c.v, record_kind::approval, "a") == "z");
    const auto seen = c.v->read(record_kind::approval, "a").value();
    CHECK(c.v->write({{record_kind::approval, "a", {}, {}, seen.version}}).value());
    CHECK_FALSE(c.v->write({{record_kind::approval, "a", {}, {}, seen.version}}).value());
}

TEST_CASE("a seal opens only whole, with its key, under what it was bound to") {
    const auto seal = sealer::from_material(secret(std::string(32, 'k'))).value();
    const auto other = sealer::from_material(secret(std::string(32, 'o'))).value();
    const auto sealed = seal.seal("token", "credential|a").value();
    CHECK(seal.unseal(sealed, "credential|a").value().equals("token"));
    CHECK(seal.seal("token", "credential|a").value() != sealed);
    CHECK(seal.unseal(sealed, "credential|b").has_error());
    CHECK(other.unseal(sealed, "credential|a").has_error());
    CHECK(seal.unseal(seal.seal("", "x").value(), "x").value().empty());
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        CHECK(seal.unseal(changed, "credential|a").has_error());
        CHECK(seal.unseal(sealed.substr(0, i), "credential|a").has_error());
    }
}

TEST_CASE("key material that is too short is refused") {
    const auto refused = sealer::from_material(secret(std::string(31, 'k')));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == fault::invalid_configuration);
}
