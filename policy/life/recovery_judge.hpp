// Each request that waits for nothing is judged: from the facts that the machines of the life know to the
// silent work, the person, or the answer.
#pragma once

#include "policy/life/approval_set.hpp"
#include "policy/life/renewal.hpp"
#include "policy/life/session_link.hpp"
#include "policy/life/waiting_requests.hpp"

namespace reauth {

/// The machines of a life that a judgement looks at, and sets to work.
struct judged_parts {
    credential_state& state;
    server_search& servers;
    renewal& flight;
    const store_retry& unsaved;
    approval_set& approvals;
    session_link& session;
    waiting_requests& waiting;
};

class recovery_judge {
public:
    recovery_judge(life_desk& desk, judged_parts parts) : desk_(desk), parts_(parts) {}

    /// Afterwards it is answered, or it waits for something.
    void consider(waiting_request& r);
    void remember(remembered_rules rules) { remembered_ = std::move(rules); }
    /// false: not ours. The vault was looked into before a person is asked.
    bool on(const life::looked& e);
    void renumbered(std::uint64_t before, std::uint64_t now) noexcept;
    /// A credential came: what was final is so no longer.
    void forget_final();
    void begin_epoch();
    bool quiet() const noexcept { return look_ == 0; }
    /// Some answer is final for a while.
    bool remembers(time_point now) const { return finals_.holds_at(now); }

private:
    void consider_login(waiting_request& r);
    bool pauses_first(waiting_request& r);
    bool needs_lookup(waiting_request& r);
    bool refused_before_its_time(const waiting_request& r) const;
    final_key key_of(const waiting_request& r) const;
    recovery_facts facts_of(const waiting_request& r) const;
    judgement_facts situation_of(const waiting_request& r) const;
    void act(waiting_request& r, const judgement& j);
    void answer(waiting_request& r, const judgement& j);
    void fly(waiting_request& r, const judgement& j);
    void ask(waiting_request& r, const judgement& j);
    approval_wish wish_of(const waiting_request& r) const;
    void look_first(waiting_request& r);
    void want_session(waiting_request& r);

    life_desk& desk_;
    judged_parts parts_;
    remembered_rules remembered_;
    final_memory finals_;
    life::fresh_refusals fresh_refusals_;
    std::uint64_t doubted_ = 0; ///< generation whose refusal before its time made us look the server up anew
    life::work_id look_ = 0;
};

} // namespace reauth
