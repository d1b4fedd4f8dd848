// What a person answers for is on the disk before it is done, or it is not done.
#include "proxy/evidence/audit_log.hpp"

#include "tests/support/text.hpp"
#include "tests/unit/proxy/vault_fixture.hpp"
#include "tests/unit/recovery/recovery_world.hpp"

#include <filesystem>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

struct audited_world : recovery_world {
    scratch_directory place;
    std::unique_ptr<audit_log> log;
    explicit audited_world(bool required) {
        start();
        audit_config settings;
        settings.file = place.file("audit.jsonl");
        auto opened =
            audit_log::open(settings, "p", [this](const audit_head& h) { manager->audit().written(h); });
        REQUIRE(opened.has_value());
        log = std::move(*opened);
        manager->audit().use(log.get(), required);
    }
    ~audited_world() {
        manager->audit().use(nullptr, false);
        log.reset();
    }
    std::string text() const { return read_whole(place.file("audit.jsonl")); }
    /// A directory in its place: nothing can be written, whoever we are.
    void break_disk() const {
        std::filesystem::rename(place.file("audit.jsonl"), place.file("away"));
        std::filesystem::create_directory(place.file("audit.jsonl"));
    }
    void mend_disk() const {
        std::filesystem::remove(place.file("audit.jsonl"));
        std::filesystem::rename(place.file("away"), place.file("audit.jsonl"));
    }
    std::shared_ptr<pending_recovery> asked() {
        auto r = refused();
        until([&] { return !r->approval_id.empty(); }, "the approval");
        return r;
    }
};

} // namespace

TEST_CASE(
    "audit desk: what a person decides is written before it is done, with what they had before the eyes") {
    audited_world w(true);
    const auto r = w.asked();
    REQUIRE(w.wait(w.manager->persons().approve(r->approval_id, approver::person, true, {}, "acme/ada"))
                .has_value());
    const auto text = w.text();
    CHECK(has(text, "\"action\":\"approve\""));
    CHECK(has(text, "\"way\":\"signed in, at the page\""));
    CHECK(has(text, "\"by\":\"acme/ada\""));
    CHECK(has(text, "\"approval\":\"" + r->approval_id + "\""));
    CHECK(has(text, "\"recovery\":\"" + r->recovery + "\""));
}

TEST_CASE("audit desk: where it can't be written nothing that somebody answers for is done") {
    audited_world w(true);
    const auto r = w.asked();
    w.break_disk();
    auto& persons = w.manager->persons();
    CHECK(w.wait(persons.approve(r->approval_id, approver::operator_token, false)).error().code ==
          fault::audit_unavailable);
    CHECK(w.wait(persons.deny(r->approval_id)).error().code == fault::audit_unavailable);
    CHECK(w.wait(persons.logout("up", "local")).error().code == fault::audit_unavailable);
    CHECK(w.wait(persons.login("up", "local")).error().code == fault::audit_unavailable);
    CHECK(w.wait(persons.remember(r->approval_id)).error().code == fault::audit_unavailable);
    CHECK(w.wait(persons.revoke_rule("x")).error().code == fault::audit_unavailable);
    CHECK(w.wait(persons.logout_all("local")).error().code == fault::audit_unavailable);
    CHECK(w.book.find(r->approval_id)->status == approval_status::pending);
    CHECK_FALSE(r->verdict);
    w.mend_disk();
    CHECK(w.wait(persons.deny(r->approval_id)).has_value());
}

TEST_CASE("audit desk: without `required` it is done, and the lines wait") {
    audited_world w(false);
    const auto r = w.asked();
    w.break_disk();
    CHECK(w.wait(w.manager->persons().deny(r->approval_id, "operator")).has_value());
    while (w.log->state().trouble.empty())
        std::this_thread::yield();
    CHECK(w.log->state().waiting > 0);
    w.mend_disk();
    while (!w.log->state().trouble.empty())
        std::this_thread::yield();
    CHECK(has(w.text(), "\"action\":\"deny\""));
    CHECK(has(w.text(), "\"how\":\"denied\""));
}

TEST_CASE("audit desk: the vault is told how far the chain has come") {
    audited_world w(false);
    const auto r = w.asked();
    CHECK(w.wait(w.manager->persons().deny(r->approval_id)).has_value());
    w.until(
        [&] {
            const auto heads = w.store.audit_heads().value();
            return heads.size() == 1 && heads[0] == w.log->state().head.text();
        },
        "the head");
}
