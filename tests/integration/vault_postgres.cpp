// The PostgreSQL backend. Hidden: needs a database of its own, named by MCP_REAUTH_TEST_DSN; run with
// [postgres].
#ifdef REAUTH_POSTGRES
#include "tests/unit/proxy/vault_fixture.hpp"

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

vault_config postgres_settings() {
    const char* dsn = std::getenv("MCP_REAUTH_TEST_DSN");
    REQUIRE(dsn != nullptr);
    vault_config settings;
    settings.backend = vault_backend::postgres;
    settings.dsn = secret(dsn);
    settings.key = secret(std::string(32, 'k'));
    return settings;
}

} // namespace

TEST_CASE("a PostgreSQL vault keeps, lists, expires and takes records", "[.][postgres]") {
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

TEST_CASE("a PostgreSQL lease has one holder, is prolonged, released and outlived", "[.][postgres]") {
    auto ours = opened(postgres_settings()), theirs = opened(postgres_settings());
    CHECK(ours->try_lease("pg refresh", "a", 1h).value());
    CHECK_FALSE(theirs->try_lease("pg refresh", "b", 1h).value());
    CHECK(ours->try_lease("pg refresh", "a", 0ms).value());
    CHECK(theirs->try_lease("pg refresh", "b", 1h).value());
    must(theirs->release_lease("pg refresh", "b"));
    CHECK(ours->try_lease("pg refresh", "a", 1h).value());
    must(ours->release_lease("pg refresh", "a"));
}

TEST_CASE("a PostgreSQL vault refuses a wrong key and tells of no server, without the DSN", "[.][postgres]") {
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
