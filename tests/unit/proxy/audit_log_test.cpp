// The audit as it is written: by several processes into one file, rotated, and where the disk fails.
#include "proxy/evidence/audit_log.hpp"
#include "proxy/evidence/audit_sink.hpp"
#include "proxy/evidence/audit_verify.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/text.hpp"
#include "tests/unit/proxy/vault_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

struct audit_place : scratch_directory {
    audit_config settings;
    audit_place() {
        settings.file = file("audit.jsonl");
        settings.key.from = secret_source::kind::file;
        settings.key.name = file("audit.key");
    }
    std::unique_ptr<audit_log> open(const std::string& process = "p") {
        auto opened = audit_log::open(settings, process);
        INFO((opened ? std::string() : opened.error().describe()));
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }
    signing_key made() const { return signing_key::from_pem(secret(read_whole(settings.key.name))).value(); }
    audit_report verify() const {
        std::vector<audit_file_text> files;
        for (const auto& f : audit_files(settings.file))
            files.push_back({f, read_whole(f)});
        audit_expectations expected;
        expected.known.push_back(verifying_key::from_pem(secret(made().public_pem())).value());
        return verify_audit(std::move(files), expected);
    }
};

audit_event event(const std::string& name) {
    return {wall_clock::now(), name, {{"detail", "of " + name}}, false};
}

result<void> written(audit_log& log, const std::string& name) {
    std::promise<result<void>> done;
    log.write(event(name), [&](result<void> r) { done.set_value(std::move(r)); });
    return done.get_future().get();
}

} // namespace

TEST_CASE("audit log: a missing key is made for its owner alone, and lines are signed with it") {
    audit_place at;
    {
        const auto log = at.open();
        REQUIRE(written(*log, "one").has_value());
        CHECK(has(log->state().public_key, "BEGIN PUBLIC KEY"));
        CHECK(log->state().head.seq == 1);
    }
    struct stat key{}, file{};
    REQUIRE(::stat(at.settings.key.name.c_str(), &key) == 0);
    REQUIRE(::stat(at.settings.file.c_str(), &file) == 0);
    CHECK((key.st_mode & 0777) == 0600);
    CHECK((file.st_mode & 0777) == 0600);
    const auto r = at.verify();
    CHECK(r.chains.at(0).signatures == 1);
}

TEST_CASE("audit log: several processes write into one file, and it is one chain") {
    audit_place at;
    {
        const auto one = at.open("one"), two = at.open("two");
        std::vector<std::thread> writers;
        for (auto* log : {one.get(), two.get()})
            writers.emplace_back([log] {
                for (int i = 0; i < 100; ++i)
                    log->write(event("e"));
            });
        for (auto& w : writers)
            w.join();
    }
    const auto r = at.verify();
    CHECK(r.findings.empty());
    REQUIRE(r.chains.size() == 1);
    CHECK(r.chains[0].lines == 200);
}

TEST_CASE("audit log: the chain goes on after a restart, and over files that are rotated") {
    audit_place at;
    at.settings.rotate = 4096;
    at.settings.keep = 3;
    for (int run = 0; run < 2; ++run) {
        const auto log = at.open();
        for (int i = 0; i < 40; ++i)
            REQUIRE(written(*log, "e").has_value());
    }
    const auto files = audit_files(at.settings.file);
    CHECK(files.size() == 4);
    const auto r = at.verify();
    CHECK(r.findings.empty());
    REQUIRE(r.chains.size() == 1);
    CHECK(r.chains[0].last == 80);
    CHECK(r.chains[0].first > 1); // what was rotated away
}

TEST_CASE("audit log: half a line of a process that died is told, and what follows is written") {
    audit_place at;
    {
        const auto log = at.open();
        REQUIRE(written(*log, "one").has_value());
    }
    {
        std::ofstream out(at.settings.file, std::ios::app);
        out << R"({"v":1,"log":"x","seq":)";
    }
    const auto log = at.open();
    REQUIRE(written(*log, "two").has_value());
    const auto r = at.verify();
    REQUIRE(r.findings.size() >= 1);
    CHECK(has(r.findings[0].where, ":2"));
}

TEST_CASE("audit log: a disk that is full is told, what waits is written later, and what must be written is "
          "refused") {
    audit_place at;
    const auto log = at.open();
    REQUIRE(written(*log, "one").has_value());
    // a directory in the file's place: nothing can be appended, whoever we are
    const auto away = at.settings.file + ".away";
    std::filesystem::rename(at.settings.file, away);
    std::filesystem::create_directory(at.settings.file);
    const auto refused = written(*log, "needed");
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == fault::audit_unavailable);
    log->write(event("later"));
    while (log->state().trouble.empty())
        std::this_thread::yield();
    CHECK(has(log->state().trouble, "can't be"));
    std::filesystem::remove(at.settings.file);
    std::filesystem::rename(away, at.settings.file);
    REQUIRE([&] {
        for (auto until = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < until;)
            if (log->state().lines == 3 && log->state().trouble.empty())
                return true;
        return false;
    }());
    const auto text = read_whole(at.settings.file);
    CHECK(has(text, "of later"));
    CHECK(has(text, "\"event\":\"gap\""));
    CHECK_FALSE(has(text, "of needed"));
    CHECK(at.verify().findings.empty());
}

TEST_CASE("audit log: another key in the file's place is vouched for by the one before") {
    audit_place at;
    {
        const auto log = at.open();
        log->write({wall_clock::now(), "start", {{"public_key", log->state().public_text}}, true});
        REQUIRE(written(*log, "one").has_value());
        std::filesystem::remove(at.settings.key.name);
        REQUIRE(log->take_key().has_value());
        REQUIRE(written(*log, "two").has_value());
        REQUIRE(log->take_key().has_value()); // the same again says nothing
    }
    const auto r = at.verify();
    CHECK(r.findings.empty());
    CHECK(r.chains.at(0).keys.size() == 2);
    CHECK(r.chains[0].lines == 4);
}

TEST_CASE("audit log: a key that is none, and a place that is none, say so") {
    audit_place at;
    std::ofstream(at.settings.key.name) << "not a key";
    CHECK(has(audit_log::open(at.settings, "p").error().message, "no Ed25519 key"));
    std::filesystem::remove(at.settings.key.name);
    at.settings.file = at.file("no/such/place.jsonl");
    const auto log = audit_log::open(at.settings, "p");
    REQUIRE(log.has_error());
    CHECK(has(log.error().message, "/no/such/place.jsonl"));
}

TEST_CASE("audit log: the journal gets each line with its event") {
    const scratch_directory at;
    const auto path = at.file("journal");
    const owned_descriptor journal(::socket(AF_UNIX, SOCK_DGRAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(::bind(journal.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    REQUIRE(send_to_journal(R"({"v":1})", "decision", path));
    std::string got(4096, '\0');
    got.resize(static_cast<std::size_t>(::recv(journal.get(), got.data(), got.size(), 0)));
    CHECK(has(got, "SYSLOG_IDENTIFIER=mcp-reauth\n"));
    CHECK(has(got, "MCP_REAUTH_EVENT=decision\n"));
    CHECK(has(got, "MESSAGE={\"v\":1}\n"));
    CHECK_FALSE(send_to_journal("x", "y", at.file("nobody")));
}
