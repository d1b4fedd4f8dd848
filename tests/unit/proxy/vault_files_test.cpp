// The vault's files: modes, keys, damage, versions, and that no token lies in them.
#include "proxy/vault/sqlite_db.hpp"
#include "proxy/vault/vault_key.hpp"
#include "tests/unit/proxy/vault_fixture.hpp"

#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sys/stat.h>

using namespace reauth;
using namespace reauth::test;

namespace {

unsigned mode(const std::string& path) {
    struct stat known{};
    REQUIRE(::stat(path.c_str(), &known) == 0);
    return known.st_mode & 0777;
}

bool mentions(const failure& f, const std::string& word) {
    return f.describe().find(word) != std::string::npos;
}

} // namespace

TEST_CASE("a new vault makes private files and is found again") {
    scratch_directory where;
    auto settings = sqlite_settings(where);
    settings.path = where.file("state/mcp-reauth/vault.db");
    {
        auto v = opened(settings);
        must(v->put(record_kind::credential, "a", secret("kept")));
        for (const auto* suffix : {"", "-wal", "-shm", ".key"})
            CHECK(mode(settings.path + suffix) == 0600);
        CHECK(mode(where.file("state/mcp-reauth")) == 0700);
        CHECK(mode(where.file("state")) == 0700);
    }
    CHECK(got(*opened(settings), record_kind::credential, "a") == "kept");
}

TEST_CASE("a vault file that others could read is closed to them") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    opened(settings);
    REQUIRE(::chmod(settings.path.c_str(), 0644) == 0);
    opened(settings);
    CHECK(mode(settings.path) == 0600);
}

TEST_CASE("no token is found in the vault's files") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    const std::string token = "eyJhbGciOi.super-secret-token";
    auto v = opened(settings);
    for (int i = 0; i < 20; ++i)
        must(v->put(record_kind::credential, "key" + std::to_string(i), secret(token + std::to_string(i))));
    const auto everything = read_whole(settings.path) + read_whole(settings.path + "-wal");
    CHECK(everything.find("key19") != std::string::npos);
    CHECK(everything.find("super-secret-token") == std::string::npos);
    v.reset();
    CHECK(read_whole(settings.path).find("super-secret-token") == std::string::npos);
}

TEST_CASE("a wrong key is told, and changes nothing") {
    scratch_directory where;
    auto settings = sqlite_settings(where);
    settings.key = secret(std::string(32, 'a'));
    must(opened(settings)->put(record_kind::credential, "a", secret("kept")));
    auto wrong = settings;
    wrong.key = secret(std::string(32, 'b'));
    const auto why = refusal(wrong);
    CHECK(why.code == fault::vault_unavailable);
    CHECK(mentions(why, "another key"));
    CHECK(got(*opened(settings), record_kind::credential, "a") == "kept");
}

TEST_CASE("a missing key file of an old vault is told and not made anew") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    opened(settings);
    const auto key = read_whole(settings.path + ".key");
    std::filesystem::remove(settings.path + ".key");
    const auto why = refusal(settings);
    CHECK(mentions(why, settings.path + ".key is missing"));
    CHECK_FALSE(std::filesystem::exists(settings.path + ".key"));
    write_whole(settings.path + ".key", key);
    opened(settings);
}

TEST_CASE("a key file that is there is used for a new vault and kept") {
    scratch_directory where;
    auto settings = sqlite_settings(where);
    settings.key_file = where.file("own.key");
    const std::string key = "  " + std::string(40, 'k') + "\n";
    write_whole(settings.key_file, key);
    must(opened(settings)->put(record_kind::credential, "a", secret("kept")));
    CHECK(read_whole(settings.key_file) == key);
    auto literal = settings;
    literal.key = secret(std::string(40, 'k'));
    CHECK(got(*opened(literal), record_kind::credential, "a") == "kept");
}

TEST_CASE("a short or empty key is refused before anything is sealed") {
    scratch_directory where;
    auto settings = sqlite_settings(where);
    settings.key = secret("short");
    CHECK(refusal(settings).code == fault::invalid_configuration);
    settings.key = {};
    settings.key_file = where.file("empty.key");
    write_whole(settings.key_file, " \n");
    CHECK(mentions(refusal(settings), "is empty"));
}

TEST_CASE("a damaged vault is told and left as it is") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    {
        auto v = opened(settings);
        for (int i = 0; i < 200; ++i)
            must(v->put(record_kind::credential, "key" + std::to_string(i), secret(std::string(500, 'x'))));
    }
    auto bytes = read_whole(settings.path);
    const auto damage = GENERATE(std::string("header"), std::string("pages"), std::string("cut"));
    if (damage == "header")
        bytes.replace(0, 16, "not a database!!");
    else if (damage == "pages")
        std::fill(bytes.begin() + 4096, bytes.end(), '\x5a');
    else
        bytes.resize(bytes.size() / 2);
    write_whole(settings.path, bytes);
    const auto why = refusal(settings);
    CHECK(why.code == fault::vault_unavailable);
    CHECK(mentions(why, "damaged"));
    CHECK(mentions(why, settings.path));
    CHECK(read_whole(settings.path) == bytes);
}

TEST_CASE("a vault of a newer version is refused") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    opened(settings);
    {
        auto db = sqlite_db::open(settings.path);
        REQUIRE(db.has_value());
        must(db->execute("PRAGMA user_version = 999"));
    }
    CHECK(mentions(refusal(settings), "newer version"));
}

TEST_CASE("another program's database is refused and kept") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    {
        auto db = sqlite_db::open(settings.path);
        REQUIRE(db.has_value());
        must(db->execute("CREATE TABLE photos (id)"));
    }
    CHECK(mentions(refusal(settings), "another program"));
    CHECK_FALSE(std::filesystem::exists(settings.path + ".key"));
}

TEST_CASE("records cannot be swapped behind the vault's back") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    {
        auto v = opened(settings);
        must(v->put(record_kind::credential, "ada", secret("token of ada")));
        must(v->put(record_kind::credential, "bob", secret("token of bob")));
    }
    {
        auto db = sqlite_db::open(settings.path);
        must(db->execute("UPDATE records SET sealed = (SELECT sealed FROM records WHERE key = 'bob')"));
    }
    auto v = opened(settings);
    CHECK(got(*v, record_kind::credential, "bob") == "token of bob");
    CHECK(v->get(record_kind::credential, "ada").has_error());
    CHECK(v->list(record_kind::credential).has_error());
}

TEST_CASE("a place that cannot be written is told") {
    vault_config settings;
    settings.path = "/proc/no-such/vault.db";
    const auto why = refusal(settings);
    CHECK(why.code == fault::vault_unavailable);
    CHECK(mentions(why, "/proc/no-such"));
}

TEST_CASE("a memory vault needs no key and keeps nothing") {
    auto v = opened(memory_settings());
    must(v->put(record_kind::credential, "a", secret("x")));
    CHECK(got(*v, record_kind::credential, "a") == "x");
    CHECK(got(*opened(memory_settings()), record_kind::credential, "a") == "(none)");
}

TEST_CASE("a key file that others may read is told, with what to do") {
    scratch_directory where;
    opened(sqlite_settings(where));
    const auto key = where.file("vault.db.key");
    CHECK(exposed_key_file(key).empty());
    for (const auto mode : {0644, 0640, 0606}) {
        REQUIRE(::chmod(key.c_str(), static_cast<mode_t>(mode)) == 0);
        CHECK(exposed_key_file(key).find("chmod 600 " + key) != std::string::npos);
    }
    CHECK(exposed_key_file(where.file("none")).empty());
}

TEST_CASE("a vault that can't be written says so, and blames no other process") {
    scratch_directory where;
    auto v = opened(sqlite_settings(where));
    REQUIRE(v->changes().has_value());
    REQUIRE(::chmod(where.file("vault.db").c_str(), 0400) == 0);
    // root may write everything: for files this thread becomes somebody who may not
    const auto nobody = ::geteuid() == 0 ? 65534u : ::geteuid();
    if (::geteuid() == 0) {
        REQUIRE(::chown(where.file("vault.db").c_str(), nobody, static_cast<gid_t>(-1)) == 0);
        ::setfsuid(nobody);
    }
    const auto seen = v->changes();
    const auto locked = v->try_lock("refresh");
    ::setfsuid(::geteuid());
    REQUIRE(seen.has_error());
    CHECK(seen.error().message.find("cannot be written: Permission denied") != std::string::npos);
    CHECK(seen.error().describe().find("process") == std::string::npos);
    if (::geteuid() == 0) { // the directory is root's: no lock file can be made
        REQUIRE(locked.has_error());
        CHECK(locked.error().message.find("vault.db-locks") != std::string::npos);
        CHECK(locked.error().message.find("Permission denied") != std::string::npos);
    }
    REQUIRE(::chmod(where.file("vault.db").c_str(), 0600) == 0);
    CHECK(v->changes().has_value());
}
