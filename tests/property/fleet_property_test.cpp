// Two processes on one vault under random events: whatever is told late, and whoever is faster, they come to
// one truth.
#include "tests/property/dice.hpp"

#include "tests/support/catch.hpp"
#include <rapidcheck.h>

using namespace reauth;
using namespace reauth::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t events_in_a_fleets_run = 260;
constexpr std::size_t processes = 2;

struct fleet {
    std::shared_ptr<world_commons> common = std::make_shared<world_commons>();
    std::vector<std::unique_ptr<life_world>> all;
    /// News that a process has not heard yet: of the credential (nothing), or of what a question asks for.
    std::vector<std::deque<std::optional<std::string>>> inbox{processes};
    std::vector<std::deque<life_event>> heard{processes}; ///< what it has read of them
    std::uint64_t seen = 0;

    explicit fleet(const credential_binding& whose) {
        for (unsigned i = 0; i < processes; ++i)
            all.push_back(std::make_unique<life_world>(whose, common, i));
    }
    static std::string key_of(const approval_record& q) {
        return q.login_scopes.to_string() + (q.silent.empty() ? "" : " confirm");
    }
    void tell_others(std::size_t i, const std::optional<std::string>& what) {
        for (std::size_t j = 0; j < processes; ++j)
            if (j != i)
                inbox[j].push_back(what);
    }
    /// After a step of process i: what it stored is told to the others.
    void after(std::size_t i) {
        if (std::exchange(seen, common->vault.generation) != common->vault.generation)
            tell_others(i, std::nullopt);
    }
    bool share(std::size_t i) {
        auto& w = *all[i];
        if (w.unshared.empty())
            return false;
        const auto [q, fresh] = w.unshared.front();
        w.unshared.pop_front();
        if (const auto other = common->store(q, w.now, fresh))
            w.tell(life::remote_approval{*other});
        else
            tell_others(i, key_of(q));
        return true;
    }
    /// What the vault holds is read behind what the process has written before (its vault thread works in
    /// order), and is told a little later.
    bool read(std::size_t i) {
        if (inbox[i].empty() || !all[i]->unshared.empty())
            return false;
        const auto what = inbox[i].front();
        inbox[i].pop_front();
        if (what)
            heard[i].push_back(life::remote_approval{common->questions.at(*what)});
        else
            heard[i].push_back(life::vault_changed{common->vault.state()});
        return true;
    }
    bool hear(std::size_t i) {
        if (heard[i].empty())
            return false;
        const auto event = heard[i].front();
        heard[i].pop_front();
        all[i]->tell(event);
        return true;
    }
    void pass(std::chrono::seconds t) {
        for (auto& w : all)
            w->pass(t);
    }
    /// Nothing is under way, on its way or unheard any more.
    void settle() {
        for (bool more = true; more;) {
            more = false;
            for (std::size_t i = 0; i < processes; ++i) {
                auto& w = *all[i];
                for (std::size_t k = 0; k < w.works.size(); ++k)
                    if (w.can_finish(k)) {
                        w.finish(k);
                        after(i);
                        more = true;
                        break;
                    }
                while (share(i) || read(i) || hear(i))
                    more = true;
            }
        }
    }
};

void play(fleet& f, std::uint32_t die) {
    const std::size_t i = die % processes;
    auto& w = *f.all[i];
    const auto kind = (die / processes) % 32;
    const auto detail = die / processes / 32;
    const auto open = nth_open(w, detail);
    if (kind < 13) {
        if (w.works.empty())
            return;
        const auto at = detail % w.works.size();
        const auto fate = (detail / 64) % 12;
        if (w.can_finish(at))
            w.finish(at, fate == 0 ? ending::trouble : fate == 1 ? ending::refusal : ending::well);
    } else if (kind < 16) {
        f.share(i);
    } else if (kind < 19) {
        if (detail % 2)
            f.read(i);
        else
            f.hear(i);
    } else if (kind < 22) {
        w.refuse(challenge_kind::invalid_token, detail % 3 ? "" : scope_of(detail / 3));
    } else if (kind == 22) {
        w.refuse(challenge_kind::insufficient_scope, scope_of(detail));
    } else if (kind < 26) {
        if (!open.empty())
            w.approve(open, detail % 3 ? approver::operator_token : approver::link_holder, detail % 2);
    } else if (kind < 28) {
        if (!open.empty())
            w.come_back(open);
    } else if (kind == 28) {
        if (!open.empty() && detail % 2)
            w.deny(open);
    } else if (kind == 29) {
        if (detail % 6 == 0)
            w.sign_out();
        else if (w.machine.held())
            w.tell(life::renewal_due{w.machine.held()->generation});
    } else if (kind == 30) {
        f.pass(std::chrono::seconds(detail % 8 == 0 ? 1000 : detail % 70));
    } else if (!w.waiting.empty()) {
        auto it = w.waiting.begin();
        std::advance(it, detail % w.waiting.size());
        w.withdraw(*it);
    }
    f.after(i);
}

std::string token_of(const std::optional<credential>& c) {
    return c ? std::string(c->access_token.reveal()) : std::string();
}

/// Everybody says no to what is left, everything is heard, and both processes know the same.
void wind_up(fleet& f) {
    for (int round = 0; round < 12; ++round) {
        f.settle();
        for (auto& w : f.all)
            while (!w->open.empty()) {
                w->deny(std::string(w->open.begin()->first));
                f.settle();
            }
        f.pass(40s);
    }
    f.settle();
    for (auto& w : f.all) {
        w->demand(w->waiting.empty(), "somebody waits yet");
        w->demand(w->machine.waiting() == 0, "requests are left");
        w->demand(w->open.empty(), "a question is left");
        w->demand(w->machine.quiet(), "something is under way");
        for (auto caller : w->approvers)
            w->demand(w->approve_answers.contains(caller), "an approve is left without an answer");
        const auto held = w->machine.held() ? std::optional(*w->machine.held()) : std::nullopt;
        w->demand(token_of(held) == token_of(f.common->vault.value), "not what the vault holds");
    }
    for (const auto& [key, q] : f.common->questions)
        f.all[0]->demand(q.shown.id.empty() || decided(q.shown.status), "the vault holds an open question");
}

} // namespace

TEST_CASE("life: two processes on one vault come to one truth") {
    const bool all = rc::check("two processes on one vault", [] {
        const auto which = *rc::gen::inRange<unsigned>(0, 300);
        const auto dice = *rc::gen::container<std::vector<std::uint32_t>>(
            events_in_a_fleets_run, rc::gen::arbitrary<std::uint32_t>());
        fleet f(world_target());
        if (which % 2) {
            f.all[0]->sign_in();
            f.after(0);
        }
        for (const auto die : dice)
            play(f, die);
        wind_up(f);
        for (std::size_t i = 0; i < processes; ++i)
            for (const auto& b : f.all[i]->broken)
                RC_FAIL("process " + std::to_string(i) + ": " + b);
        RC_ASSERT(f.common->server.reuses == 0);
        const auto issued = f.all[0]->issued.size() + f.all[1]->issued.size();
        RC_TAG(issued > 3 ? "several credentials" : issued == 0 ? "none" : "one to three");
    });
    CHECK(all);
}
