// The vault between processes: kill -9 in a write loop, racing locks, racing first starts, one-use records.
#include "tests/unit/proxy/vault_fixture.hpp"

#include <algorithm>
#include <csignal>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

/// A child process that runs `work` with a pipe to its parent; no test macro may be used in `work`.
class child {
public:
    explicit child(const std::function<int(int)>& work) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        id_ = ::fork();
        REQUIRE(id_ >= 0);
        if (id_ == 0) {
            ::close(ends[0]);
            ::_exit(work(ends[1]));
        }
        ::close(ends[1]);
        reports_ = ends[0];
    }
    ~child() {
        if (!waited_) {
            kill();
            exit_code();
        }
        ::close(reports_);
    }
    child(const child&) = delete;
    /// Waits for `count` bytes from the child; false if it went before.
    bool await_reports(int count) const {
        char byte = 0;
        for (int i = 0; i < count; ++i)
            if (::read(reports_, &byte, 1) != 1)
                return false;
        return true;
    }
    /// One byte from the child; '-' if it went before.
    char report() const {
        char byte = '-';
        return ::read(reports_, &byte, 1) == 1 ? byte : '-';
    }
    void kill() const { ::kill(id_, SIGKILL); }
    int exit_code() {
        int status = 0;
        ::waitpid(id_, &status, 0);
        waited_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t id_ = -1;
    int reports_ = -1;
    bool waited_ = false;
};

void report(int pipe) {
    (void)!::write(pipe, "x", 1);
}

/// Long enough to span pages, and checkable: a number and its repetition.
std::string whole_value(int number) {
    return std::to_string(number) + ":" + std::string(9000, static_cast<char>('a' + number % 26));
}

} // namespace

TEST_CASE("a record is old or new but whole after kill -9 in a write loop") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    opened(settings);
    int least = 0;
    for (int round = 0; round < 5; ++round) {
        child writer([&](int pipe) {
            auto v = open_vault(settings);
            for (int i = least + 1; v; ++i) {
                if (!(*v)->put(record_kind::credential, "a", secret(whole_value(i))))
                    return 1;
                report(pipe);
            }
            return 1;
        });
        constexpr int acknowledged = 7;
        REQUIRE(writer.await_reports(acknowledged));
        writer.kill();
        writer.exit_code();
        const auto value = got(*opened(settings), record_kind::credential, "a");
        const int number = std::stoi(value);
        CHECK(value == whole_value(number));
        CHECK(number >= least + acknowledged);
        least = number;
    }
}

TEST_CASE("of processes that race for a lock exactly one wins") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    opened(settings);
    for (int round = 0; round < 5; ++round) {
        const auto name = "refresh" + std::to_string(round);
        std::vector<std::unique_ptr<child>> racers;
        for (int i = 0; i < 4; ++i)
            racers.push_back(std::make_unique<child>([&](int pipe) {
                auto v = open_vault(settings);
                if (!v)
                    return 2;
                const auto won = (*v)->try_lock(name);
                if (!won)
                    return 2;
                (void)!::write(pipe, *won ? "w" : "l", 1);
                ::pause(); // a lock is kept until everybody has tried
                return 0;
            }));
        int winners = 0;
        for (auto& racer : racers) {
            const char said = racer->report();
            CHECK(said != '-');
            winners += said == 'w';
        }
        CHECK(winners == 1);
    }
}

TEST_CASE("the lock of a killed process is free at once") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    auto v = opened(settings);
    child holder([&](int pipe) {
        auto theirs = open_vault(settings);
        if (!theirs)
            return 1;
        const auto lock = (*theirs)->try_lock("refresh");
        if (!lock || !*lock)
            return 1;
        report(pipe);
        ::pause();
        return 0;
    });
    REQUIRE(holder.await_reports(1));
    CHECK_FALSE(v->try_lock("refresh").value());
    holder.kill();
    holder.exit_code();
    CHECK(v->try_lock("refresh").value());
}

TEST_CASE("a vault tells what another process has written, and nothing of its own") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    auto ours = opened(settings), theirs = opened(settings);
    must(theirs->put(record_kind::credential, "before", secret("x")));
    CHECK(ours->changes().value().empty()); // begins to listen
    CHECK(ours->changes().value().empty());
    must(ours->put(record_kind::credential, "own", secret("x")));
    CHECK(ours->changes().value().empty());
    must(theirs->put(record_kind::credential, "a", secret("x")));
    must(theirs->put(record_kind::issuer_pin, "a", secret("x")));
    auto heard = ours->changes().value();
    std::vector<std::string> keys;
    for (const auto& change : heard)
        keys.push_back(change.key);
    CHECK(std::find(keys.begin(), keys.end(), "a") != keys.end());
    CHECK(std::find(keys.begin(), keys.end(), "before") == keys.end());
    CHECK(std::find(keys.begin(), keys.end(), "own") == keys.end());
    must(theirs->put(record_kind::approval, "b", secret("x")));
    heard = ours->changes().value();
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].kind == record_kind::approval);
    CHECK(heard[0].key == "b");
}

TEST_CASE("a vault file that is removed or replaced while it is in use is noticed") {
    scratch_directory where;
    auto v = opened(sqlite_settings(where));
    REQUIRE(v->changes().has_value());
    const bool replaced = GENERATE(false, true);
    std::filesystem::rename(where.file("vault.db"), where.file("aside.db"));
    if (replaced)
        write_whole(where.file("vault.db"), "another");
    const auto seen = v->changes();
    REQUIRE(seen.has_error());
    CHECK(seen.error().message.find("removed or replaced") != std::string::npos);
    const auto stored = v->put(record_kind::credential, "a", secret("x"));
    REQUIRE(stored.has_error());
    CHECK(stored.error().message.find("removed or replaced") != std::string::npos);
    std::filesystem::rename(where.file("aside.db"), where.file("vault.db"));
    CHECK(v->changes().has_value());
    must(v->put(record_kind::credential, "a", secret("x")));
}

TEST_CASE("a one-use record is won by one process") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    must(opened(settings)->put(record_kind::pending_authorization, "state", secret("verifier")));
    std::vector<std::unique_ptr<child>> racers;
    for (int i = 0; i < 4; ++i)
        racers.push_back(std::make_unique<child>([&](int) {
            auto v = open_vault(settings);
            if (!v)
                return 2;
            const auto taken = (*v)->take(record_kind::pending_authorization, "state");
            return taken ? (taken->has_value() ? 1 : 0) : 2;
        }));
    int winners = 0;
    for (auto& racer : racers) {
        const int code = racer->exit_code();
        CHECK(code != 2);
        winners += code == 1;
    }
    CHECK(winners == 1);
}

TEST_CASE("processes that start at once on a new vault agree on its key") {
    scratch_directory where;
    const auto settings = sqlite_settings(where);
    std::vector<std::unique_ptr<child>> starters;
    for (int i = 0; i < 4; ++i)
        starters.push_back(std::make_unique<child>([&, i](int) {
            auto v = open_vault(settings);
            return v && (*v)->put(record_kind::credential, "k" + std::to_string(i), secret("x")) ? 0 : 1;
        }));
    for (auto& starter : starters)
        CHECK(starter->exit_code() == 0);
    CHECK(opened(settings)->list(record_kind::credential)->size() == 4);
}
