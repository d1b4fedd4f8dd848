// Begun together, awaited in turn.
#include "proxy/recovery/signing_out.hpp"

namespace reauth {

task<revocation_report> sign_out_of(recovery_context& context, life_registry& lives, pending_replies& replies,
                                    std::vector<life_key> keys, bool identity_ended) {
    std::vector<reply<result<revocation_report>>> ends;
    for (const auto& key : keys) {
        const auto caller = replies.number();
        ends.push_back(replies.expect<result<revocation_report>>(caller, context.ex));
        lives.tell(key, life::sign_out_asked{caller, identity_ended});
    }
    revocation_report all;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        auto done = co_await ends[i].wait();
        if (done)
            all.add(std::move(*done));
        else if (!all.trouble)
            all.trouble = done.error();
    }
    co_return all;
}

} // namespace reauth
