// A call is approved exactly once, before it is sent: the gate's machine, step by step.
#include "policy/life/credential_life.hpp"

#include "tests/support/catch.hpp"

using namespace reauth;
using namespace std::chrono_literals;

namespace {

/// A gate with a clock, and what it has asked for so far.
struct gate_world {
    static credential_binding files() {
        credential_binding b;
        b.upstream = "files";
        b.url = "https://files.example/mcp";
        return b;
    }
    credential_life machine{
        files(), [n = 0](std::size_t size) mutable { return std::string(size, static_cast<char>(++n)); }};
    time_point now{1'800'000'000s};
    life_actions last;

    template<class E>
    void tell(E event) {
        last = machine.on(life_event(std::move(event)), now);
    }
    void arrive(life::request_id id, const std::string& digest = "d1") {
        life::unsent_call c;
        c.digest = digest;
        c.named = {"tools/call", "delete"};
        c.shown.calls = {{"tools/call", "delete", "{}", ""}};
        c.client_name = "cursor";
        c.rule = "deletes";
        tell(life::call_arrived{id, c});
    }
    template<class A>
    const A* find() const {
        const A* found = nullptr;
        for (const auto& a : last)
            if (const auto* one = std::get_if<A>(&a))
                found = one;
        return found;
    }
    std::string shown() const { return find<life::show>() ? find<life::show>()->now.id : ""; }
    void approve(const std::string& id, approver who = approver::operator_token) {
        tell(life::approve_asked{9, id, who, false});
    }
    void deny(const std::string& id) { tell(life::deny_asked{9, id}); }
    bool sent(life::request_id id) const {
        const auto* a = find<life::answer>();
        return a && a->request == id && a->is == recovery_verdict::kind::replay;
    }
    fault refused(life::request_id id) const {
        const auto* a = find<life::answer>();
        return a && a->request == id && a->is == recovery_verdict::kind::fail ? a->why.code : fault::internal;
    }
    approval_record told(approval_status status, const std::string& id, bool used = false) const {
        approval_record q;
        q.name = "files";
        q.place = binding_place("https://files.example/mcp", "auto");
        q.shown.id = id;
        q.shown.kind = approval_kind::call;
        q.shown.digest = "d1";
        q.shown.status = status;
        q.shown.used = used;
        q.shown.expires_at = now + 10min;
        return q;
    }
};

} // namespace

TEST_CASE("a call waits, is approved by the operator, taken from the vault, and sent once") {
    gate_world w;
    w.arrive(1);
    const auto id = w.shown();
    const auto& a = w.find<life::show>()->now;
    CHECK(a.kind == approval_kind::call);
    CHECK(a.tool == "delete");
    CHECK(a.digest == "d1");
    CHECK(a.client_name == "cursor");
    CHECK(a.completes_without_login);
    REQUIRE(w.find<life::tell_waiting>());
    w.approve(id, approver::link_holder);
    CHECK(w.find<life::answer_approve>()->answer.error().code == fault::approval_required);
    CHECK_FALSE(w.find<life::take_call>());
    w.approve(id);
    REQUIRE(w.find<life::take_call>());
    CHECK_FALSE(w.find<life::answer>()); // not before the vault has said that it is ours
    w.tell(life::call_taken{id, true});
    CHECK(w.sent(1));
    CHECK(w.find<life::show>()->now.used);
    // a second use
    w.arrive(2);
    CHECK(w.shown() != id);
    CHECK_FALSE(w.find<life::take_call>());
}

TEST_CASE("two of the same call need two approvals") {
    gate_world w;
    w.arrive(1);
    const auto first = w.shown();
    w.arrive(2);
    CHECK(w.shown() != first);
    w.approve(first);
    w.tell(life::call_taken{first, true});
    CHECK(w.sent(1));
}

TEST_CASE("changed arguments are another call") {
    gate_world w;
    w.arrive(1);
    const auto id = w.shown();
    w.tell(life::withdrawn{1});
    w.approve(id);
    CHECK_FALSE(w.find<life::take_call>()); // nobody is there to send it
    w.arrive(2, "d2");
    CHECK(w.shown() != id);
    CHECK_FALSE(w.find<life::take_call>());
}

TEST_CASE("a client that gave up and tries again needs no second approval") {
    gate_world w;
    w.arrive(1);
    const auto id = w.shown();
    w.tell(life::withdrawn{1});
    w.arrive(2);
    CHECK(w.find<life::tell_waiting>()->approval == id);
    w.tell(life::withdrawn{2});
    w.approve(id);
    w.now += 1min;
    w.arrive(3);
    REQUIRE(w.find<life::take_call>());
    w.tell(life::call_taken{id, true});
    CHECK(w.sent(3));
}

TEST_CASE("a denied call is not sent, and after two denials in a row it is not asked at once") {
    gate_world w;
    w.arrive(1);
    w.deny(w.shown());
    CHECK(w.refused(1) == fault::approval_denied);
    w.arrive(2);
    w.deny(w.shown());
    CHECK(w.refused(2) == fault::approval_denied);
    w.arrive(3);
    CHECK(w.refused(3) == fault::approval_denied);
    CHECK_FALSE(w.find<life::show>());
    w.now += 31s;
    w.arrive(4);
    CHECK(w.find<life::show>());
}

TEST_CASE("an approval expires, decided or not") {
    gate_world w;
    w.arrive(1);
    const auto id = w.shown();
    w.now += 15min;
    w.tell(life::time_passed{});
    CHECK(w.refused(1) == fault::approval_timeout);
    w.approve(id);
    CHECK(w.find<life::answer_approve>()->answer.has_error());
    w.arrive(2);
    const auto next = w.shown();
    w.tell(life::withdrawn{2});
    w.approve(next);
    w.now += 15min;
    w.arrive(3); // before the clock has told of it
    CHECK(w.shown() != next);
    CHECK_FALSE(w.find<life::take_call>());
}

TEST_CASE("what another process used, or denied, is asked for anew here") {
    gate_world w;
    w.arrive(1);
    const auto id = w.shown();
    w.approve(id);
    w.tell(life::call_taken{id, false});
    CHECK_FALSE(w.sent(1));
    CHECK(w.shown() != id);
    const auto next = w.shown();
    w.tell(life::remote_approval{w.told(approval_status::denied, next)});
    CHECK(w.refused(1) == fault::approval_denied);
}

TEST_CASE("a vault that does not answer lets nothing pass, and the approval can still be used later") {
    gate_world w;
    w.arrive(1);
    const auto id = w.shown();
    w.approve(id);
    w.tell(life::call_taken{id, failure::passing(fault::vault_unavailable, "no")});
    CHECK(w.refused(1) == fault::vault_unavailable);
    w.arrive(2);
    REQUIRE(w.find<life::take_call>());
    w.tell(life::call_taken{id, true});
    CHECK(w.sent(2));
}

TEST_CASE("an approval of another process, or of an earlier run, is good here, once") {
    gate_world w;
    w.tell(life::remote_approval{w.told(approval_status::approved, "x")});
    w.arrive(1);
    REQUIRE(w.find<life::take_call>());
    CHECK(w.find<life::take_call>()->approval == "x");
    w.tell(life::call_taken{"x", true});
    CHECK(w.sent(1));
    gate_world used;
    used.tell(life::remote_approval{used.told(approval_status::approved, "x", true)});
    used.arrive(1);
    CHECK_FALSE(used.find<life::take_call>());
    gate_world elsewhere; // of a server that another process calls by the same name
    auto other = elsewhere.told(approval_status::approved, "x");
    other.place = binding_place("https://other.example", "auto");
    elsewhere.tell(life::remote_approval{other});
    elsewhere.arrive(1);
    CHECK_FALSE(elsewhere.find<life::take_call>());
}

TEST_CASE("not more calls wait than a person can look at") {
    gate_world w;
    for (life::request_id i = 1; i <= call_gate::at_once; ++i)
        w.arrive(i, "d" + std::to_string(i));
    w.arrive(99, "one more");
    CHECK(w.refused(99) == fault::overloaded);
}

TEST_CASE("who waits is answered when the program ends") {
    gate_world w;
    w.arrive(1);
    w.tell(life::stopping{});
    CHECK(w.refused(1) == fault::shutting_down);
}

TEST_CASE("a digest binds whose call it is, where it goes and what is in it") {
    const auto base = call_digest("local", "files", "/mcp", "{}");
    CHECK(base.size() == 43);
    CHECK(base == call_digest("local", "files", "/mcp", "{}"));
    CHECK(base != call_digest("ada", "files", "/mcp", "{}"));
    CHECK(base != call_digest("local", "file", "s/mcp", "{}"));
    CHECK(base != call_digest("local", "files", "/mcp?x", "{}"));
    CHECK(base != call_digest("local", "files", "/mcp", "{} "));
}
