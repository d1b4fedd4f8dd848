// What every machine of a life works with: whose it is, the time of the step, numbers, and the actions of the
// step in their order.
#pragma once

#include "core/crypto/random.hpp"
#include "policy/life/life_actions.hpp"

#include <utility>

namespace reauth {

/// One a life. A step begins with begin_step() and ends with end_step(); between them each machine adds what
/// it wants done.
class life_desk {
public:
    life_desk(credential_binding whose, random_source random)
        : whose_(std::move(whose)), random_(std::move(random)) {}

    const credential_binding& whose() const noexcept { return whose_; }
    void rebind(credential_binding now) { whose_ = std::move(now); }
    time_point now() const noexcept { return now_; }
    std::string random(std::size_t bytes) { return random_(bytes); }
    /// Numbers works and arrivals; never the same twice.
    std::uint64_t number() noexcept { return next_++; }

    void begin_step(time_point now) {
        now_ = now;
        actions_.clear();
        last_.clear();
    }
    template<class Action>
    void emit(Action action) {
        actions_.emplace_back(std::move(action));
    }
    /// Behind everything else of the step: above all the unlocking, which comes behind the answers.
    template<class Action>
    void later(Action action) {
        last_.emplace_back(std::move(action));
    }
    life_actions end_step() {
        for (auto& action : last_)
            actions_.push_back(std::move(action));
        last_.clear();
        return std::move(actions_);
    }

private:
    credential_binding whose_;
    random_source random_;
    time_point now_{};
    std::uint64_t next_ = 1;
    life_actions actions_, last_;
};

} // namespace reauth
