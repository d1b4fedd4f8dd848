// Calls that a person approves before they are sent: brings each gate its events and performs its actions, in
// the same queue as those of the lives.
#include "proxy/recovery/manager.hpp"

#include "core/text/uri.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace reauth {

gate::target credential_manager::gate_target(const life_place& place) const {
    gate::target t;
    t.principal = place.whose.principal;
    t.upstream = place.whose.upstream;
    t.url = place.whose.url;
    t.resource = place.whose.resource;
    t.host = authority_of(t.url);
    t.lifetime = place.whose.approval_lifetime;
    return t;
}

call_gate& credential_manager::gate_for(const life_key& key) {
    auto& gate = gates_[key];
    if (!gate)
        gate = std::make_unique<call_gate>(gate_target(find(key)->place), env_.random);
    return *gate;
}

const credential_manager::life_key* credential_manager::call_with(const std::string& approval) const {
    const auto found = calls_asked_by_.find(approval);
    return found == calls_asked_by_.end() ? nullptr : &found->second;
}

void credential_manager::tell_gate(const life_key& key, gate::event event) {
    after([this, key, e = std::move(event)] {
        if (!find(key))
            return;
        for (const auto& action : gate_for(key).on(e, env_.now()))
            std::visit([&](const auto& a) { perform_gate(key, a); }, action);
    });
}

template<class A>
void credential_manager::perform_gate(const life_key& key, const A& a) {
    auto* m = find(key);
    perform(*m, a);
    if constexpr (std::is_same_v<A, life::show>) {
        // approved, and not used yet: it is still ours to watch, but not to decide
        asked_by_.erase(a.now.id);
        if (decided(a.now.status))
            calls_asked_by_.erase(a.now.id);
        else
            calls_asked_by_[a.now.id] = key;
    }
}

void credential_manager::perform_gate(const life_key& key, const gate::take& a) {
    asio::co_spawn(context_.ex, take_call(key, a), asio::detached);
}

task<void> credential_manager::take_call(life_key key, gate::take what) {
    const auto now = env_.now();
    auto use = [&] { return store_.take_call(what.as, now); };
    auto taken = co_await vault_.run(use);
    gate::take_ended end{what.approval, gate::taken::no};
    if (!taken)
        end.how = taken.error();
    else if (*taken)
        end.how = gate::taken::yes;
    tell_gate(key, std::move(end));
}

} // namespace reauth
