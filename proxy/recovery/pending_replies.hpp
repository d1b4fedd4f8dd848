// Who waits for an answer of a life: one registry, whatever the answer is.
#pragma once

#include "policy/life/life_actions.hpp"
#include "proxy/recovery/reply.hpp"

#include <functional>
#include <map>
#include <variant>

namespace reauth {

/// Control thread only.
class pending_replies {
public:
    /// The number of a caller or request: never the same twice.
    std::uint64_t number() noexcept { return next_++; }
    /// `give` is called once, with the answer to that caller.
    template<class Answer>
    void expect(life::caller_id caller, std::function<void(Answer)> give) {
        waiting_.insert_or_assign(caller, std::move(give));
    }
    /// A coroutine waits for it.
    template<class Answer>
    reply<Answer> expect(life::caller_id caller, executor ex) {
        reply<Answer> answer(ex);
        expect<Answer>(caller, [answer](Answer a) { answer.give(std::move(a)); });
        return answer;
    }
    /// false: nobody of that number waits.
    template<class Answer>
    bool give(life::caller_id caller, Answer answer) {
        auto node = waiting_.extract(caller);
        if (!node)
            return false;
        if (const auto* take = std::get_if<std::function<void(Answer)>>(&node.mapped()))
            (*take)(std::move(answer));
        return true;
    }

private:
    template<class Answer>
    using taker = std::function<void(Answer)>;
    using any_taker =
        std::variant<taker<result<approve_answer>>, taker<result<void>>, taker<callback_outcome>,
                     taker<result<std::string>>, taker<result<revocation_report>>, taker<life::answer>>;
    std::map<life::caller_id, any_taker> waiting_;
    std::uint64_t next_ = 1;
};

/// An action that answers who asked.
template<class Action>
concept answering_action = requires(Action a) {
    a.caller;
    a.answer;
};

} // namespace reauth
